-- Which table or view a name stands for, and what the connection may do with it.
-- params: 1 name text
-- returns: schema text (always empty), name text, is_view, row_security (always 0), can_select, can_update, can_insert,
--          can_delete, has_row_version, is_partitioned integer 0/1; no row when there is none. SQLite has neither
--          privileges (the file's access decides) nor versions of rows nor partitions.
-- locks: none
SELECT '', name, type = 'view', 0, 1, 1, 1, 1, 0, 0
FROM sqlite_schema
WHERE type IN ('table', 'view') AND name = ?1 COLLATE NOCASE
