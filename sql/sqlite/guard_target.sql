-- What kind of relation a guard would be put on. There are no roles: whoever may write the file may do everything.
-- params: 1 name text, as find_table returned it
-- returns: kind text (table, virtual, view), owner text '', owned integer 1; no row when there is none
-- locks: none
SELECT CASE WHEN type = 'view' THEN 'view' WHEN sql LIKE 'CREATE VIRTUAL%' THEN 'virtual' ELSE 'table' END, '', 1
FROM main.sqlite_schema
WHERE type IN ('table', 'view') AND name = ?1 COLLATE NOCASE
