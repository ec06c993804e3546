-- Leaves on an object what it was made from: in SQLite the trigger's own text does.
-- params: none
-- returns: nothing
-- locks: none
SELECT 1 WHERE 0
