-- Enabled row triggers of users on a table; those that enforce foreign keys are the server's own.
-- params: 1 name text, quoted like an identifier
-- returns: name text
-- locks: none
SELECT t.tgname::text
FROM pg_catalog.pg_trigger t
WHERE t.tgrelid = to_regclass($1::text) AND NOT t.tgisinternal AND t.tgenabled <> 'D' AND (t.tgtype & 1) = 1
ORDER BY t.tgname
