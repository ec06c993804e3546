-- Is the switch on although no run of taskctl is writing? Only somebody's own statement can have left it so.
-- params: none
-- returns: integer 0/1
-- locks: none
SELECT count(*) FROM main.taskctl_guard_state
