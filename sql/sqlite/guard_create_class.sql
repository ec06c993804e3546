-- The class of a row as a number: SQLite's triggers can hold a subquery and need no function.
-- params: none
-- returns: nothing
-- locks: none
SELECT 1 WHERE 0
