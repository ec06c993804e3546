-- Drops the constraint of a guard.
-- params: none
-- returns: nothing
-- locks: ACCESS EXCLUSIVE on the table
ALTER TABLE {table} DROP CONSTRAINT {name}
