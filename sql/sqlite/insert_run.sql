-- The row of a run, written with its first change.
-- params: 1 id, 2 command, 3 state, 4 started_at, 5 finished_at, 6 os_user, 7 sudo_user, 8 host, 9 pid, 10 reason,
--         11 arguments, 12 version, 13 profile, 14 profile_hash, 15 plan_hash, 16 plan_nonce, 17 undoes, 18 backup,
--         19 detection_now, 20 applied, 21 moved_on, 22 conflicts, 23 busy, 24 failed, 25 request
--         (texts; times RFC 3339; pid and counts are integers)
-- returns: nothing
-- locks: one row
INSERT INTO main.taskctl_runs
  (id, command, state, started_at, finished_at, os_user, sudo_user, host, pid, reason, arguments, version,
   profile, profile_hash, plan_hash, plan_nonce, undoes, backup, detection_now, applied, moved_on, conflicts,
   busy, failed, request)
VALUES
  (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23,
   ?24, ?25);
