-- Lets a role that did not make the journal take old runs out of it. Shown to administrators, never sent. {role} is quoted.
-- params: none
-- returns: nothing
-- locks: catalogue only
GRANT DELETE ON TABLE {schema}.taskctl_runs, {schema}.taskctl_changes TO {role};
