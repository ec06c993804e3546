-- SQLite has no partitions: the table itself.
-- params: ?1 schema, unused, ?2 table text
-- returns: schema (always empty), table text, size (always NULL), kind (always 'r'); no row when there is no such table
-- locks: SHARED for the statement
SELECT '', name, NULL, 'r'
FROM sqlite_schema
WHERE type = 'table' AND name = ?2 AND ?1 IS NOT NULL
