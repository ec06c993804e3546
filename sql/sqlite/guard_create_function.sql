-- What the triggers of one table call: SQLite's triggers hold their rules themselves.
-- params: none
-- returns: nothing
-- locks: none
SELECT 1 WHERE 0
