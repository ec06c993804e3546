-- Runs that ended before a time (a killed one: began), and those whose pruning was cut short; oldest first.
-- params: 1 the time (text, RFC 3339 in UTC with microseconds)
-- returns: id, number of changes
-- locks: none
SELECT r.id, (SELECT count(*) FROM {schema}.taskctl_changes c WHERE c.run_id = r.id)
  FROM {schema}.taskctl_runs r
 WHERE r.state = 'pruning' OR coalesce(r.finished_at, r.started_at) < $1::text::timestamptz
 ORDER BY r.started_at, r.id;
