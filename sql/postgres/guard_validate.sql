-- Scans the table and marks the constraint as valid. In a transaction of its own: writers go on meanwhile.
-- params: none
-- returns: nothing
-- locks: SHARE UPDATE EXCLUSIVE on the table
ALTER TABLE {table} VALIDATE CONSTRAINT {name}
