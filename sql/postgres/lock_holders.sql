-- Who keeps others from a lock on a table: sessions that hold, or wait in line for, a lock which a reader or a writer
-- of rows has to wait for; for a locked row every session that writes to the table.
-- params: $1 text that names tables or indexes in double quotes, a statement for example (empty: any table of the database),
--   $2 boolean: a row is locked
-- returns: schema text, table text, server process integer, application text, role text (NULL: not visible to this role),
--   state of the session text (NULL: not visible), start of its transaction as text (NULL: not visible), processes that
--   it waits for itself as text ("812, 813"; NULL: none); longest transaction first, at most 20
-- locks: none
SELECT n.nspname::text,
       t.relname::text,
       l.pid::text,
       a.application_name::text,
       a.usename::text,
       a.state::text,
       to_char(a.xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
       CASE WHEN NOT bool_and(l.granted) THEN array_to_string(pg_blocking_pids(l.pid), ', ') END
FROM pg_locks AS l
JOIN pg_class AS locked ON locked.oid = l.relation
LEFT JOIN pg_index AS i ON i.indexrelid = l.relation
JOIN pg_class AS t ON t.oid = coalesce(i.indrelid, l.relation)
JOIN pg_namespace AS n ON n.oid = t.relnamespace
LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid
WHERE l.locktype = 'relation'
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.pid <> pg_backend_pid()
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  AND CASE WHEN $2::text::boolean THEN l.granted AND l.mode NOT IN ('AccessShareLock', 'ShareUpdateExclusiveLock')
           ELSE l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock') END
  AND ($1::text = '' OR strpos($1::text, '"' || replace(t.relname, '"', '""') || '"') > 0
       OR strpos($1::text, '"' || replace(locked.relname, '"', '""') || '"') > 0)
GROUP BY n.nspname, t.relname, l.pid, a.application_name, a.usename, a.state, a.xact_start
ORDER BY a.xact_start NULLS LAST, l.pid, n.nspname, t.relname
LIMIT 20
