-- Keeps a finished time off tasks that are not over. NOT VALID: new and changed rows only, so no scan under the lock.
-- params: none
-- returns: nothing
-- locks: ACCESS EXCLUSIVE on the table, for the moment of the catalogue change
ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID
