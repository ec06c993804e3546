-- The oldest changes of a run, so that no transaction is long.
-- params: 1 id of the run (text), 2 how many at most (integer)
-- returns: nothing
-- locks: the rows
DELETE FROM main.taskctl_changes
 WHERE run_id = ?1
   AND sequence IN (SELECT c.sequence FROM main.taskctl_changes c
                     WHERE c.run_id = ?1 ORDER BY c.sequence LIMIT ?2);
