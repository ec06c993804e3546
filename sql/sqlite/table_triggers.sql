-- Triggers that fire on writes to a table. Those of `taskctl guard` change no row and are ours.
-- params: 1 name text, as find_table returned it
-- returns: name text
-- locks: none
SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?1 COLLATE NOCASE AND substr(name, 1, 14) <> 'taskctl_guard_' ORDER BY name
