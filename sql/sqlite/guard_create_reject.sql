-- What triggers call for rows that contradict themselves: SQLite has RAISE.
-- params: none
-- returns: nothing
-- locks: none
SELECT 1 WHERE 0
