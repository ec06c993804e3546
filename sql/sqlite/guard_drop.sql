-- Drops a trigger or table of a guard.
-- params: none
-- returns: nothing
-- locks: catalogue only
DROP {object}
