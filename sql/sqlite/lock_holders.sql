-- SQLite keeps no list of who locks a file.
-- params: ?1 and ?2, unused
-- returns: no row
-- locks: none
SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL WHERE ?1 IS NULL AND ?2 IS NOT NULL AND 1 = 0
