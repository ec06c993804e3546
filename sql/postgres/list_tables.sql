-- Tables that may hold tasks: ordinary and partitioned ones, without partitions, the system's, those of extensions and
-- our own journal.
-- params: 1 schema of the journal text
-- returns: schema text, table text, is_visible integer 0/1 (found by its bare name)
-- locks: none
SELECT n.nspname::text, c.relname::text, pg_table_is_visible(c.oid)::int
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p')
  AND NOT c.relispartition
  AND c.relpersistence <> 't'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', $1::text)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1, 2
