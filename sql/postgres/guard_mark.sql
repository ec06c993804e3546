-- Leaves on an object what it was made from, for a later install and status.
-- params: none
-- returns: nothing
-- locks: catalogue only
COMMENT ON {object} IS {mark}
