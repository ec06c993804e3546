-- Guards watch again; what is committed holds no row.
-- params: none
-- returns: nothing
-- locks: the row
DELETE FROM main.taskctl_guard_state
