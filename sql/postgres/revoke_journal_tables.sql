-- Keeps other roles out of the journal: it holds whole rows. Names its tables, because the schema may be shared.
-- params: none
-- returns: nothing
-- locks: catalogue only
REVOKE ALL ON TABLE {schema}.taskctl_meta, {schema}.taskctl_runs, {schema}.taskctl_changes FROM PUBLIC;
