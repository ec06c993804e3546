-- SQLite's run lock is a side file that names its holder; there is no row to read.
-- params: ?1 and ?2, unused
-- returns: no row
-- locks: none
SELECT NULL, NULL, NULL, NULL, NULL WHERE ?1 IS NULL AND ?2 IS NOT NULL AND 1 = 0
