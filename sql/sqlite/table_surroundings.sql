-- What stands around a table and has rights of its own: nothing in SQLite.
-- params: ?1 name
-- returns: no row
-- locks: none
SELECT NULL, NULL, NULL, NULL WHERE ?1 IS NULL AND 1 = 0
