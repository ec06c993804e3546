-- Who holds the advisory lock of a run in this database.
-- params: $1 first key integer, $2 second key integer (of pg_try_advisory_lock(int, int))
-- returns: backend pid integer, role text, client address text (NULL: unix socket, or not visible to this role),
--   application_name text, start of the session as text (NULL: not visible); no row when nobody holds it
-- locks: none
SELECT l.pid::text,
       a.usename::text,
       host(a.client_addr),
       a.application_name,
       to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
FROM pg_locks AS l
LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid
WHERE l.locktype = 'advisory'
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.classid::bigint = $1::text::bigint
  AND l.objid::bigint = $2::text::bigint
  AND l.objsubid = 2
  AND l.granted
