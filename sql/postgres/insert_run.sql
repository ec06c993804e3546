-- The row of a run, written with its first change.
-- params: 1 id, 2 command, 3 state, 4 started_at, 5 finished_at, 6 os_user, 7 sudo_user, 8 host, 9 pid, 10 reason,
--         11 arguments, 12 version, 13 profile, 14 profile_hash, 15 plan_hash, 16 plan_nonce, 17 undoes, 18 backup,
--         19 detection_now, 20 applied, 21 moved_on, 22 conflicts, 23 busy, 24 failed, 25 request
--         (texts; times RFC 3339; pid and counts are integers)
-- returns: nothing
-- locks: one row
INSERT INTO {schema}.taskctl_runs
  (id, command, state, started_at, finished_at, os_user, sudo_user, host, pid, reason, arguments, version,
   profile, profile_hash, plan_hash, plan_nonce, undoes, backup, detection_now, applied, moved_on, conflicts,
   busy, failed, request)
VALUES
  ($1::text, $2::text, $3::text, $4::text::timestamptz, $5::text::timestamptz, $6::text, $7::text, $8::text,
   $9::text::bigint, $10::text, $11::text, $12::text, $13::text, $14::text, $15::text, $16::text, $17::text,
   $18::text, $19::text::timestamptz, $20::text::bigint, $21::text::bigint, $22::text::bigint,
   $23::text::bigint, $24::text::bigint, $25::text);
