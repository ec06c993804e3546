-- What kind of relation a guard would be put on.
-- params: 1 name text, quoted like an identifier
-- returns: kind text: table, partitioned, view, foreign; no row when there is none
-- locks: none
SELECT CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned' WHEN 'f' THEN 'foreign' ELSE 'view' END
FROM pg_catalog.pg_class c
WHERE c.oid = to_regclass($1::text)
