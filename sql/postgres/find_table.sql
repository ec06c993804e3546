-- Which table or view a name stands for along the search_path, and what the current role may do with it.
-- params: 1 name text, quoted like an identifier ("schema"."name" or "name")
-- returns: schema text, name text, is_view, row_security (on, and not bypassed by this role), can_select (every column),
--          can_update, can_insert (at least one column), can_delete, has_row_version (xmin is there and may be read),
--          is_partitioned integer 0/1; no row when there is none
-- locks: none
SELECT n.nspname::text, c.relname::text, (c.relkind IN ('v', 'm'))::int, row_security_active(c.oid)::int,
       (has_table_privilege(c.oid, 'SELECT') OR
        (SELECT bool_and(has_column_privilege(c.oid, a.attnum, 'SELECT'))
         FROM pg_catalog.pg_attribute a
         WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped))::int,
       has_any_column_privilege(c.oid, 'UPDATE')::int,
       has_any_column_privilege(c.oid, 'INSERT')::int,
       has_table_privilege(c.oid, 'DELETE')::int,
       (c.relkind IN ('r', 'p') AND has_table_privilege(c.oid, 'SELECT'))::int,
       (c.relkind = 'p')::int
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = to_regclass($1::text) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
