-- One row per applied change, with the whole row before and after it as JSON (json keeps the text as it was written; jsonb would not).
-- params: none
-- returns: nothing
-- locks: catalogue only
CREATE TABLE IF NOT EXISTS {schema}.taskctl_changes (
  run_id       text NOT NULL REFERENCES {schema}.taskctl_runs (id),
  sequence     bigint NOT NULL,
  task         text NOT NULL,
  rule         text NOT NULL,
  outcome      text NOT NULL,
  operation    text NOT NULL,
  table_schema text NOT NULL,
  table_name   text NOT NULL,
  row_key      json NOT NULL,
  row_before   json,
  row_after    json,
  written      json NOT NULL,
  side_effects json NOT NULL,
  applied_at   timestamptz NOT NULL,
  PRIMARY KEY (run_id, sequence)
);
