-- What a guard in mode log recorded, newest first.
-- params: 1 limit integer
-- returns: id, at (RFC 3339 UTC), rule, table_name, task, operation, old_status, new_status, old_finished, new_finished,
--          and five NULL for what SQLite does not know: user, application, client, pid, statement
-- locks: none
SELECT id, at, rule, table_name, task, operation, old_status, new_status, old_finished, new_finished, NULL, NULL, NULL,
       NULL, NULL
FROM main.taskctl_guard_log
ORDER BY id DESC
LIMIT ?1
