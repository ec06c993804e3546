-- Tables whose rows pg_dump writes when it dumps the whole database: ordinary tables, partitions included, without
-- those of the system, of temporary schemas and of extensions.
-- params: none
-- returns: schema text, table text, size in bytes with indexes and toast bigint
-- locks: ACCESS SHARE on each table for the moment of pg_total_relation_size
SELECT n.nspname::text, c.relname::text, pg_total_relation_size(c.oid)::text
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'r'
  AND c.relpersistence <> 't'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  AND NOT EXISTS (SELECT FROM pg_depend AS d
                  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1, 2
