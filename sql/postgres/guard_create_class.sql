-- The class of a row as a number, for profiles whose classes are conditions: WHEN of a trigger cannot name columns bare.
-- Overloaded by the type of the table's rows.
-- params: none
-- returns: nothing
-- locks: catalogue only
CREATE OR REPLACE FUNCTION {schema}.taskctl_guard_class(taskctl_row {table}) RETURNS integer LANGUAGE sql STABLE AS {body}
