-- Enabled triggers of users that fire when rows are written through a table: its own, and the row triggers of its partitions
-- and children. Those that enforce foreign keys are the server's own; those of `taskctl guard` change no row.
-- params: 1 name text, quoted like an identifier
-- returns: name text, each once
-- locks: none
WITH RECURSIVE tree (oid, top) AS (
  SELECT to_regclass($1::text)::oid, true
  UNION
  SELECT i.inhrelid, false FROM pg_catalog.pg_inherits i JOIN tree t ON t.oid = i.inhparent
)
SELECT DISTINCT t.tgname::text
FROM pg_catalog.pg_trigger t
JOIN tree ON tree.oid = t.tgrelid
WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND (t.tgtype & 28) <> 0 AND (tree.top OR (t.tgtype & 1) = 1)
  AND left(t.tgname::text, 14) <> 'taskctl_guard_'
ORDER BY 1
