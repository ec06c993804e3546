-- What a guard in mode log recorded, newest first.
-- params: 1 limit bigint
-- returns: id, at (RFC 3339 UTC), rule, table_name, task, operation, old_status, new_status, old_finished, new_finished,
--          db_user, application, client_address, pid, statement
-- locks: none
SELECT id, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), rule, table_name, task, operation, old_status,
       new_status, old_finished, new_finished, db_user, application, client_address, pid, statement
FROM {schema}.taskctl_guard_log
ORDER BY id DESC
LIMIT $1::text::bigint
