-- What pg_dump would have to read and this role may not: pg_dump gives up at the first of them.
-- params: none
-- returns: kind text ('schema': no USAGE, 'table' or 'sequence': no SELECT, 'rls': row-level security applies to the
--   role), schema text, name text, schema and name text of the table with whose rows pg_dump reads it (of a sequence that
--   belongs to no column: NULL, it is read in a dump of the whole database only)
-- locks: none
SELECT CASE WHEN NOT has_schema_privilege(n.oid, 'USAGE') THEN 'schema'
            WHEN c.relkind = 'S' THEN 'sequence'
            WHEN NOT has_table_privilege(c.oid, 'SELECT') THEN 'table'
            ELSE 'rls' END,
       n.nspname::text,
       c.relname::text,
       CASE WHEN c.relkind = 'S' THEN tn.nspname ELSE n.nspname END::text,
       CASE WHEN c.relkind = 'S' THEN t.relname ELSE c.relname END::text
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_depend AS owned ON owned.classid = 'pg_class'::regclass AND owned.objid = c.oid AND owned.objsubid = 0
  AND owned.refclassid = 'pg_class'::regclass AND owned.refobjsubid > 0 AND owned.deptype IN ('a', 'i')
LEFT JOIN pg_class AS t ON t.oid = owned.refobjid
LEFT JOIN pg_namespace AS tn ON tn.oid = t.relnamespace
WHERE c.relkind IN ('r', 'p', 'S')
  AND c.relpersistence <> 't'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  AND NOT EXISTS (SELECT FROM pg_depend AS d
                  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
  AND (NOT has_schema_privilege(n.oid, 'USAGE')
       OR CASE WHEN c.relkind = 'S' THEN NOT has_sequence_privilege(c.oid, 'SELECT')
               ELSE NOT has_table_privilege(c.oid, 'SELECT') OR row_security_active(c.oid) END)
ORDER BY 2, 3
