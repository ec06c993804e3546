-- One row per applied change, with the whole row before and after it as JSON.
-- params: none
-- returns: nothing
-- locks: catalogue only
CREATE TABLE IF NOT EXISTS main.taskctl_changes (
  run_id       TEXT NOT NULL REFERENCES taskctl_runs (id),
  sequence     INTEGER NOT NULL,
  task         TEXT NOT NULL,
  rule         TEXT NOT NULL,
  outcome      TEXT NOT NULL,
  operation    TEXT NOT NULL,
  table_schema TEXT NOT NULL,
  table_name   TEXT NOT NULL,
  row_key      TEXT NOT NULL,
  row_before   TEXT,
  row_after    TEXT,
  written      TEXT NOT NULL,
  side_effects TEXT NOT NULL,
  applied_at   TEXT NOT NULL,
  PRIMARY KEY (run_id, sequence)
);
