-- Enabled row triggers of users on a table; those that enforce foreign keys are the server's own. Those of `taskctl guard`
-- change no row and are ours.
-- params: 1 name text, quoted like an identifier
-- returns: name text
-- locks: none
SELECT t.tgname::text
FROM pg_catalog.pg_trigger t
WHERE t.tgrelid = to_regclass($1::text) AND NOT t.tgisinternal AND t.tgenabled <> 'D' AND (t.tgtype & 1) = 1
  AND left(t.tgname::text, 14) <> 'taskctl_guard_'
ORDER BY t.tgname
