-- One row per invocation that wrote. plan_nonce is unique: a plan is applied once.
-- Times: texts, RFC 3339 in UTC with six digits of fraction, so that they sort.
-- params: none
-- returns: nothing
-- locks: catalogue only
CREATE TABLE IF NOT EXISTS main.taskctl_runs (
  id            TEXT PRIMARY KEY,
  command       TEXT NOT NULL,
  state         TEXT NOT NULL,
  started_at    TEXT NOT NULL,
  finished_at   TEXT,
  os_user       TEXT NOT NULL,
  sudo_user     TEXT NOT NULL,
  host          TEXT NOT NULL,
  pid           INTEGER NOT NULL,
  reason        TEXT NOT NULL,
  arguments     TEXT NOT NULL,
  version       TEXT NOT NULL,
  profile       TEXT NOT NULL,
  profile_hash  TEXT NOT NULL,
  plan_hash     TEXT NOT NULL,
  plan_nonce    TEXT NOT NULL UNIQUE,
  undoes        TEXT NOT NULL,
  backup        TEXT NOT NULL,
  detection_now TEXT,
  applied       INTEGER NOT NULL,
  moved_on      INTEGER NOT NULL,
  conflicts     INTEGER NOT NULL,
  busy          INTEGER NOT NULL,
  failed        INTEGER NOT NULL,
  request       TEXT NOT NULL
);
