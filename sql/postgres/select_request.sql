-- What a run was asked to do, for `resume`: the plan without its tasks, as a saved plan begins with it.
-- params: 1 id of the run (text)
-- returns: request (text)
-- locks: none
SELECT request FROM {schema}.taskctl_runs WHERE id = $1::text;
