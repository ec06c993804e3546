-- What stands around a table and has rights of its own.
-- params: 1 name text, quoted like an identifier ("schema"."name")
-- returns: kind text, schema text, name text, column text (else NULL), each once and in order:
--   'partition': a table that holds rows of this one (partitions and children, however deep);
--   'sequence': one that a column of the table, or of a partition, owns;
--   'default': a sequence from which the default of a column takes its value;
--   'type': the schema of the type of a column, unless it is the system's (name: the type's);
--   'policies': the table itself, when row-level security is on
-- locks: none
WITH RECURSIVE tree (oid, top) AS (
  SELECT to_regclass($1::text)::oid, true
  UNION
  SELECT i.inhrelid, false FROM pg_catalog.pg_inherits i JOIN tree t ON t.oid = i.inhparent
), found (kind, oid, column_name) AS (
  SELECT 'partition', tree.oid, NULL FROM tree WHERE NOT tree.top
  UNION
  SELECT 'sequence', d.objid, NULL
  FROM tree
  JOIN pg_catalog.pg_depend d ON d.refobjid = tree.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0
    AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
  JOIN pg_catalog.pg_class s ON s.oid = d.objid AND s.relkind = 'S'
  UNION
  SELECT 'default', d.refobjid, a.attname
  FROM tree
  JOIN pg_catalog.pg_attrdef f ON f.adrelid = tree.oid
  JOIN pg_catalog.pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum
  JOIN pg_catalog.pg_depend d ON d.objid = f.oid AND d.classid = 'pg_attrdef'::regclass
    AND d.refclassid = 'pg_class'::regclass
  JOIN pg_catalog.pg_class s ON s.oid = d.refobjid AND s.relkind = 'S'
  WHERE tree.top
  UNION
  SELECT 'policies', c.oid, NULL FROM tree JOIN pg_catalog.pg_class c ON c.oid = tree.oid
  WHERE tree.top AND c.relrowsecurity
)
SELECT f.kind, n.nspname::text AS schema_name, c.relname::text AS name, f.column_name::text
FROM found f
JOIN pg_catalog.pg_class c ON c.oid = f.oid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
UNION
SELECT 'type', n.nspname::text, t.typname::text, NULL
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE a.attrelid = to_regclass($1::text) AND a.attnum > 0 AND NOT a.attisdropped AND n.nspname <> 'pg_catalog'
ORDER BY 1, 2, 3, 4
