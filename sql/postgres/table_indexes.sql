-- Key columns of every index of a table.
-- params: 1 name text, quoted like an identifier
-- returns: index name text, is_unique integer 0/1 (unique over whole rows: valid and no WHERE clause), column text (NULL
--          for an expression); in the order of the columns
-- locks: none
SELECT c.relname::text, (i.indisunique AND i.indisvalid AND i.indpred IS NULL)::int, a.attname::text
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
CROSS JOIN unnest(i.indkey::int2[]) WITH ORDINALITY AS u (attnum, position)
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = u.attnum AND u.attnum > 0
WHERE i.indrelid = to_regclass($1::text) AND u.position <= i.indnkeyatts
ORDER BY c.relname, u.position
