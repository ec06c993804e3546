-- Ids of the runs that took a run back, oldest first.
-- params: 1 id (text)
-- returns: id (text)
-- locks: none
SELECT id FROM main.taskctl_runs WHERE undoes = ?1 ORDER BY started_at, id;
