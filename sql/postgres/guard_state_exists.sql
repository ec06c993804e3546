-- Is there a switch that guard_suspend can use? A setting needs no preparation.
-- params: none
-- returns: integer 1
-- locks: none
SELECT 1
