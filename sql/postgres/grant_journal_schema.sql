-- Lets a role that did not make the journal use its schema. Shown to administrators, never sent. {role} is quoted.
-- params: none
-- returns: nothing
-- locks: catalogue only
GRANT USAGE ON SCHEMA {schema} TO {role};
