-- Functions of a name: SQLite has no rights on them.
-- params: ?1 schema, ?2 name
-- returns: no row
-- locks: none
SELECT NULL, NULL, NULL, NULL, NULL WHERE ?1 IS NULL AND ?2 IS NULL AND 1 = 0
