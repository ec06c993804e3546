-- One applied change.
-- params: 1 run_id, 2 sequence, 3 task, 4 rule, 5 outcome, 6 operation, 7 table_schema, 8 table_name, 9 row_key,
--         10 row_before, 11 row_after, 12 written, 13 side_effects, 14 applied_at
--         (texts; sequence integer; row_key, row_before, row_after, written, side_effects JSON; applied_at RFC 3339)
-- returns: nothing
-- locks: one row
INSERT INTO {schema}.taskctl_changes
  (run_id, sequence, task, rule, outcome, operation, table_schema, table_name, row_key, row_before, row_after,
   written, side_effects, applied_at)
VALUES
  ($1::text, $2::text::bigint, $3::text, $4::text, $5::text, $6::text, $7::text, $8::text, $9::text::json,
   $10::text::json, $11::text::json, $12::text::json, $13::text::json, $14::text::timestamptz);
