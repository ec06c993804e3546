-- Applied changes of one run, many in one round trip: SQLite has none to save and takes them one by one (insert_change).
-- params: none
-- returns: nothing
-- locks: none
SELECT 1 WHERE 0;
