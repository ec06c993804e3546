-- One row per contradiction that a guard in mode log let pass.
-- params: none
-- returns: nothing
-- locks: catalogue only
CREATE TABLE IF NOT EXISTS {schema}.taskctl_guard_log (
  id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at             timestamptz NOT NULL DEFAULT clock_timestamp(),
  rule           text NOT NULL,
  table_name     text NOT NULL,
  task           text NOT NULL,
  operation      text NOT NULL,
  old_status     text,
  new_status     text,
  old_finished   text,
  new_finished   text,
  db_user        text NOT NULL DEFAULT session_user,
  application    text NOT NULL DEFAULT current_setting('application_name'),
  client_address text DEFAULT host(inet_client_addr()),
  pid            integer NOT NULL DEFAULT pg_backend_pid(),
  statement      text
)
