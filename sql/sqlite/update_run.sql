-- How a run goes on or ended.
-- params: 1 id, 2 state, 3 finished_at, 4 applied, 5 moved_on, 6 conflicts, 7 busy, 8 failed
-- returns: nothing
-- locks: one row
UPDATE main.taskctl_runs
   SET state = ?2, finished_at = ?3, applied = ?4, moved_on = ?5, conflicts = ?6, busy = ?7, failed = ?8
 WHERE id = ?1;
