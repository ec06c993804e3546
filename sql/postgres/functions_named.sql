-- Functions of a name, and whether everybody may call them.
-- params: 1 schema text (empty: along the search_path), 2 name text
-- returns: schema text, name text, arguments text as GRANT takes them, callable integer 0/1 (everybody may call it), system
--   integer 0/1 (it came with the server); one row for each function of the name
-- locks: none
SELECT n.nspname::text, p.proname::text, pg_get_function_identity_arguments(p.oid),
       has_function_privilege('public', p.oid, 'EXECUTE')::int, (n.nspname = 'pg_catalog')::int
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE p.proname = $2::text
  AND CASE WHEN $1::text = '' THEN pg_function_is_visible(p.oid) ELSE n.nspname = $1::text END
ORDER BY 1, 2, 3
