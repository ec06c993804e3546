-- Drops a trigger, function or table of a guard.
-- params: none
-- returns: nothing
-- locks: ACCESS EXCLUSIVE on the table of a trigger
DROP {object}
