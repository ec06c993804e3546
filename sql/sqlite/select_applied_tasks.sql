-- Tasks that a run has changed.
-- params: 1 id of the run (text)
-- returns: task (text)
-- locks: none
SELECT DISTINCT task FROM main.taskctl_changes WHERE run_id = ?1;
