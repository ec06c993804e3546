-- A run whose changes are gone already.
-- params: 1 id of the run (text)
-- returns: nothing
-- locks: the row
DELETE FROM {schema}.taskctl_runs WHERE id = $1::text;
