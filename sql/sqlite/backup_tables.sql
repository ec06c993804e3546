-- Tables of the main database, without SQLite's own.
-- params: none
-- returns: schema (always empty), table text, size (always NULL: SQLite keeps none per table)
-- locks: SHARED for the statement
SELECT '', name, NULL
FROM sqlite_schema
WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'
ORDER BY 2
