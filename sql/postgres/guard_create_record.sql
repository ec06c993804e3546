-- Records one contradiction for the guards of all tables. They call it as its owner, because writers have no right on the log;
-- nobody waits long for a log that somebody locked.
-- params: none
-- returns: nothing
-- locks: catalogue only
CREATE OR REPLACE FUNCTION {schema}.taskctl_guard_record(
  rule text, table_name text, task text, operation text,
  old_status text, new_status text, old_finished text, new_finished text
) RETURNS void LANGUAGE sql SET search_path = pg_catalog, pg_temp SET lock_timeout = '1s' AS $taskctl$
  INSERT INTO {schema}.taskctl_guard_log
    (rule, table_name, task, operation, old_status, new_status, old_finished, new_finished, statement)
  VALUES (rule, table_name, coalesce(task, ''), operation, old_status, new_status, old_finished, new_finished,
          left(current_query(), 2000))
$taskctl$
