-- Facts about the journal itself: journal_version, uuid.
-- params: none
-- returns: nothing
-- locks: catalogue only
CREATE TABLE IF NOT EXISTS main.taskctl_meta (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
);
