-- Is there a switch that guard_suspend can use?
-- params: none
-- returns: integer 0/1
-- locks: none
SELECT count(*) FROM main.sqlite_schema WHERE type = 'table' AND name = 'taskctl_guard_state'
