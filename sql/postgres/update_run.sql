-- How a run goes on or ended.
-- params: 1 id, 2 state, 3 finished_at, 4 applied, 5 moved_on, 6 conflicts, 7 busy, 8 failed
-- returns: nothing
-- locks: one row
UPDATE {schema}.taskctl_runs
   SET state = $2::text, finished_at = $3::text::timestamptz, applied = $4::text::bigint,
       moved_on = $5::text::bigint, conflicts = $6::text::bigint, busy = $7::text::bigint,
       failed = $8::text::bigint
 WHERE id = $1::text;
