-- SQLite has no server; the same columns for what is known of the library.
-- params: none
-- returns: NULL, version text, then NULL for everything that only a server has
-- locks: none
SELECT NULL, sqlite_version(), NULL, NULL, 'false', 'off', NULL, 'false', NULL, NULL, NULL
