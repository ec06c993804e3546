-- Columns of a table in their order.
-- params: 1 name text, quoted like an identifier
-- returns: name text, type text (format_type), not_null, generated, identity_always integer 0/1,
--          primary_key integer (position in the primary key from 1, else 0),
--          labels text (JSON array; NULL: not an enum),
--          can_select, can_update, can_insert integer 0/1: what the current role may do with the column
-- locks: none
SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull::int, (a.attgenerated <> '')::int,
       (a.attidentity = 'a')::int, coalesce(k.position, 0)::int,
       (SELECT json_agg(e.enumlabel::text ORDER BY e.enumsortorder)::text FROM pg_catalog.pg_enum e
        WHERE e.enumtypid = coalesce(nullif(t.typbasetype, 0), t.oid)),
       has_column_privilege(a.attrelid, a.attnum, 'SELECT')::int,
       has_column_privilege(a.attrelid, a.attnum, 'UPDATE')::int,
       has_column_privilege(a.attrelid, a.attnum, 'INSERT')::int
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN (SELECT i.indrelid, u.attnum, u.position
           FROM pg_catalog.pg_index i, unnest(i.indkey::int2[]) WITH ORDINALITY AS u (attnum, position)
           WHERE i.indisprimary AND u.position <= i.indnkeyatts) k
  ON k.indrelid = a.attrelid AND k.attnum = a.attnum
WHERE a.attrelid = to_regclass($1::text) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
