-- SQLite has no roles: whoever may read the file may read all of it.
-- params: none
-- returns: no row
-- locks: none
SELECT NULL, NULL, NULL, NULL, NULL WHERE 1 = 0
