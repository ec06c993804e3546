-- Lets a role that did not make the journal read it. Shown to administrators, never sent. {role} is quoted.
-- params: none
-- returns: nothing
-- locks: catalogue only
GRANT SELECT ON TABLE {schema}.taskctl_meta, {schema}.taskctl_runs, {schema}.taskctl_changes TO {role};
