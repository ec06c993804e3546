-- The schema of the journal. {schema} is the quoted name. Sent only when it does not exist: IF NOT EXISTS asks for
-- the right to create even then.
-- params: none
-- returns: nothing
-- locks: catalogue only
CREATE SCHEMA IF NOT EXISTS {schema};
