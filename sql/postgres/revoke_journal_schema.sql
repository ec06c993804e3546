-- Keeps other roles out of the journal's schema. Sent only for a schema that was just created.
-- params: none
-- returns: nothing
-- locks: catalogue only
REVOKE ALL ON SCHEMA {schema} FROM PUBLIC;
