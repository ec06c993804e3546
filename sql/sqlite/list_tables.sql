-- Tables that may hold tasks: without SQLite's own and our own journal.
-- params: 1 schema of the journal text (SQLite has none: the journal's tables are left out by their names)
-- returns: schema text (always empty), table text, is_visible integer (always 1)
-- locks: SHARED for the statement
SELECT '', name, 1
FROM sqlite_schema
WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' AND name NOT LIKE ?1 || '\_%' ESCAPE '\'
ORDER BY 2
