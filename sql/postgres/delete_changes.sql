-- The oldest changes of a run, so that no transaction is long.
-- params: 1 id of the run (text), 2 how many at most (integer)
-- returns: nothing
-- locks: the rows
DELETE FROM {schema}.taskctl_changes
 WHERE run_id = $1::text
   AND sequence IN (SELECT c.sequence FROM {schema}.taskctl_changes c
                     WHERE c.run_id = $1::text ORDER BY c.sequence LIMIT $2::text::bigint);
