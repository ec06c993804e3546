-- Triggers that fire on writes to a table.
-- params: 1 name text, as find_table returned it
-- returns: name text
-- locks: none
SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?1 COLLATE NOCASE ORDER BY name
