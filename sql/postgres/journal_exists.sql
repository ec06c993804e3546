-- Which parts of the journal are there. Needs no right on them.
-- params: 1 schema (text)
-- returns: schema_exists (integer 0/1), tables (integer 0-3)
-- locks: none
SELECT (SELECT count(*) FROM pg_catalog.pg_namespace WHERE nspname = $1::text) AS schema_exists,
       (SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = $1::text AND c.relkind IN ('r', 'p')
           AND c.relname IN ('taskctl_meta', 'taskctl_runs', 'taskctl_changes')) AS tables;
