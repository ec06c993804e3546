-- Keeps other roles out of the log: SQLite has nothing to do here.
-- params: none
-- returns: nothing
-- locks: none
SELECT 1 WHERE 0
