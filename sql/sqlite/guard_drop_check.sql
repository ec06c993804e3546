-- Drops the constraint of a guard: SQLite has none.
-- params: none
-- returns: nothing
-- locks: none
SELECT 1 WHERE 0
