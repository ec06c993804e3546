-- Everything named taskctl_guard_* that belongs to a table, and the tables that several guarded tables share.
-- params: 1 table text, as find_table returned it; 2 schema of the journal text (unused)
-- returns: kind text (trigger, table), name text, mark text (the definition, with the comment that install left),
--          validated integer 1, enabled integer 1, shared integer 0/1 (another table's guard needs it too)
-- locks: none
SELECT s.type, s.name, s.sql, 1, 1,
       s.type = 'table' AND EXISTS (SELECT 1 FROM main.sqlite_schema o
                                    WHERE o.type = 'trigger' AND substr(o.name, 1, 14) = 'taskctl_guard_'
                                      AND o.tbl_name <> ?1 COLLATE NOCASE)
FROM main.sqlite_schema s
WHERE substr(s.name, 1, 14) = 'taskctl_guard_' AND ?2 IS NOT NULL
  AND (s.type = 'table' OR (s.type = 'trigger' AND s.tbl_name = ?1 COLLATE NOCASE))
