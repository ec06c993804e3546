-- SQLite has no standby: what is read is the database itself.
-- params: none
-- returns: lag integer (microseconds)
-- locks: none
SELECT 0;
