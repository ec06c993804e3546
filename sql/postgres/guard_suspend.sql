-- Lets the writes of this transaction pass every guard. Ends with the transaction at the latest.
-- params: none
-- returns: the setting
-- locks: none
SELECT set_config('taskctl.guard_off', 'on', true)
