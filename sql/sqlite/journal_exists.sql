-- Which parts of the journal are there.
-- params: 1 schema (text; unused)
-- returns: schema_exists (integer 0/1), tables (integer 0-3)
-- locks: none
SELECT 1 AS schema_exists,
       (SELECT count(*) FROM main.sqlite_master
         WHERE type = 'table' AND name IN ('taskctl_meta', 'taskctl_runs', 'taskctl_changes')) AS tables
 WHERE ?1 IS NOT NULL;
