-- Called by triggers for rows that contradict themselves: records who wrote them. Runs as its owner, because writers have no
-- right on the log; never lets a write fail. Arguments: rule, text, status column, finished column (or ''), key columns.
-- params: none
-- returns: nothing
-- locks: catalogue only
CREATE OR REPLACE FUNCTION {schema}.taskctl_guard_record() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $taskctl$
DECLARE
  row_before jsonb := CASE TG_OP WHEN 'UPDATE' THEN to_jsonb(OLD) END;
  row_after jsonb := to_jsonb(NEW);
  task text;
BEGIN
  SELECT CASE count(*) WHEN 1 THEN min(row_after ->> k) ELSE '[' || string_agg(to_json(row_after ->> k)::text, ',' ORDER BY n) || ']' END
  INTO task FROM unnest(TG_ARGV[4:]) WITH ORDINALITY AS u (k, n);
  INSERT INTO {schema}.taskctl_guard_log
    (rule, table_name, task, operation, old_status, new_status, old_finished, new_finished, statement)
  VALUES (TG_ARGV[0], TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME, coalesce(task, ''), lower(TG_OP), row_before ->> TG_ARGV[2],
          row_after ->> TG_ARGV[2], row_before ->> TG_ARGV[3], row_after ->> TG_ARGV[3], left(current_query(), 2000));
  RETURN NULL;
EXCEPTION WHEN OTHERS THEN
  RAISE WARNING 'taskctl_guard_record: %', SQLERRM;
  RETURN NULL;
END
$taskctl$
