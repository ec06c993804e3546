-- One row per invocation that wrote. plan_nonce is unique: a plan is applied once.
-- Times: timestamptz.
-- params: none
-- returns: nothing
-- locks: catalogue only
CREATE TABLE IF NOT EXISTS {schema}.taskctl_runs (
  id            text PRIMARY KEY,
  command       text NOT NULL,
  state         text NOT NULL,
  started_at    timestamptz NOT NULL,
  finished_at   timestamptz,
  os_user       text NOT NULL,
  sudo_user     text NOT NULL,
  host          text NOT NULL,
  pid           bigint NOT NULL,
  reason        text NOT NULL,
  arguments     text NOT NULL,
  version       text NOT NULL,
  profile       text NOT NULL,
  profile_hash  text NOT NULL,
  plan_hash     text NOT NULL,
  plan_nonce    text NOT NULL UNIQUE,
  undoes        text NOT NULL,
  backup        text NOT NULL,
  detection_now timestamptz,
  applied       bigint NOT NULL,
  moved_on      bigint NOT NULL,
  conflicts     bigint NOT NULL,
  busy          bigint NOT NULL,
  failed        bigint NOT NULL,
  request       text NOT NULL
);
