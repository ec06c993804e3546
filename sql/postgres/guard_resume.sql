-- Guards watch the rest of this transaction again.
-- params: none
-- returns: the setting
-- locks: none
SELECT set_config('taskctl.guard_off', 'off', true)
