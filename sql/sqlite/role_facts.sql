-- Is there such a role? SQLite has none.
-- params: ?1 role
-- returns: no row
-- locks: none
SELECT 0, 0 WHERE ?1 IS NULL AND 1 = 0
