-- Lets a role that did not make the journal say how a run goes on, and nothing else of it: what update_run sets. Shown to
-- administrators, never sent. {role} is quoted.
-- params: none
-- returns: nothing
-- locks: catalogue only
GRANT UPDATE (state, finished_at, applied, moved_on, conflicts, busy, failed) ON TABLE {schema}.taskctl_runs TO {role};
