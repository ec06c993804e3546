-- Is the switch on although no run of taskctl is writing? A database or role may have the setting.
-- params: none
-- returns: integer 0/1
-- locks: none
SELECT (coalesce(current_setting('taskctl.guard_off', true), '') = 'on')::int
