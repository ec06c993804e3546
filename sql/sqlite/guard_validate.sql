-- Marks the constraint as valid: SQLite has none.
-- params: none
-- returns: nothing
-- locks: none
SELECT 1 WHERE 0
