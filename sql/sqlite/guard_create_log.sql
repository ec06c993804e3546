-- One row per contradiction that a guard in mode log let pass. SQLite knows no users, programs or clients.
-- params: none
-- returns: nothing
-- locks: catalogue only
CREATE TABLE IF NOT EXISTS main.taskctl_guard_log (
  id             INTEGER PRIMARY KEY,
  at             TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  rule           TEXT NOT NULL,
  table_name     TEXT NOT NULL,
  task           TEXT,
  operation      TEXT NOT NULL,
  old_status     TEXT,
  new_status     TEXT,
  old_finished   TEXT,
  new_finished   TEXT
)
