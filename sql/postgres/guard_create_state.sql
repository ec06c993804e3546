-- The switch by which taskctl's own writes pass: PostgreSQL uses the setting taskctl.guard_off instead.
-- params: none
-- returns: nothing
-- locks: none
SELECT 1 WHERE false
