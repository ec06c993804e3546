-- Everything named taskctl_guard_* that belongs to a table, and what several guarded tables share in the journal's schema.
-- params: 1 table text, quoted like an identifier; 2 schema of the journal text
-- returns: kind text (check, trigger, function, table), name text, mark text (the comment that install left, may be
--          NULL), validated integer 0/1, enabled integer 0/1, shared integer 0/1 (another table's guard needs it too)
-- locks: none
SELECT 'check', c.conname::text, obj_description(c.oid, 'pg_constraint'), c.convalidated::int, 1, 0
FROM pg_catalog.pg_constraint c
WHERE c.conrelid = to_regclass($1::text) AND c.contype = 'c' AND left(c.conname::text, 14) = 'taskctl_guard_'
UNION ALL
SELECT 'trigger', t.tgname::text, obj_description(t.oid, 'pg_trigger'), 1, (t.tgenabled IN ('O', 'A'))::int, 0
FROM pg_catalog.pg_trigger t
WHERE t.tgrelid = to_regclass($1::text) AND NOT t.tgisinternal AND left(t.tgname::text, 14) = 'taskctl_guard_'
UNION ALL
SELECT 'function', p.proname::text, obj_description(p.oid, 'pg_proc'), 1, 1,
       EXISTS (SELECT 1 FROM pg_catalog.pg_trigger o
               WHERE o.tgrelid <> to_regclass($1::text)
                 AND (o.tgfoid = p.oid
                      OR (p.proname = 'taskctl_guard_record' AND left(o.tgname::text, 14) = 'taskctl_guard_')))::int
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = $2::text AND left(p.proname::text, 14) = 'taskctl_guard_'
UNION ALL
SELECT 'table', c.relname::text, NULL, 1, 1,
       EXISTS (SELECT 1 FROM pg_catalog.pg_trigger o
               WHERE left(o.tgname::text, 14) = 'taskctl_guard_' AND o.tgrelid <> to_regclass($1::text))::int
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $2::text AND c.relkind = 'r' AND left(c.relname::text, 14) = 'taskctl_guard_'
