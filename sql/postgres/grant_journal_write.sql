-- Lets a role that did not make the journal add runs and their changes. Shown to administrators, never sent. {role} is
-- quoted.
-- params: none
-- returns: nothing
-- locks: catalogue only
GRANT INSERT ON TABLE {schema}.taskctl_runs, {schema}.taskctl_changes TO {role};
