-- What triggers call to record a contradiction: SQLite's triggers insert by themselves.
-- params: none
-- returns: nothing
-- locks: none
SELECT 1 WHERE 0
