-- Applied changes of one run, many in one round trip.
-- params: 1 run_id, then as many elements of text[] as changes: 2 sequence, 3 task, 4 rule, 5 outcome, 6 operation,
--         7 table_schema, 8 table_name, 9 row_key, 10 row_before, 11 row_after, 12 written, 13 side_effects,
--         14 applied_at (texts; sequence integer; row_key, row_before, row_after, written, side_effects JSON;
--         applied_at RFC 3339)
-- returns: nothing
-- locks: the new rows
INSERT INTO {schema}.taskctl_changes
  (run_id, sequence, task, rule, outcome, operation, table_schema, table_name, row_key, row_before, row_after,
   written, side_effects, applied_at)
SELECT
  $1::text, sequence::bigint, task, rule, outcome, operation, table_schema, table_name, row_key::json,
  row_before::json, row_after::json, written::json, side_effects::json, applied_at::timestamptz
FROM unnest($2::text::text[], $3::text::text[], $4::text::text[], $5::text::text[], $6::text::text[],
    $7::text::text[], $8::text::text[], $9::text::text[], $10::text::text[], $11::text::text[], $12::text::text[],
    $13::text::text[], $14::text::text[])
  AS c (sequence, task, rule, outcome, operation, table_schema, table_name, row_key, row_before, row_after, written,
    side_effects, applied_at);
