-- The statement that made a table: its CHECK constraints stand in it.
-- params: 1 name text, as find_table returned it
-- returns: text
-- locks: SHARED for the statement
SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?1
