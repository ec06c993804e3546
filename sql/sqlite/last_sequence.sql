-- Number of the last change of a run.
-- params: 1 id of the run (text)
-- returns: sequence (integer), 0 when it has none
-- locks: none
SELECT coalesce(max(sequence), 0) FROM main.taskctl_changes WHERE run_id = ?1;
