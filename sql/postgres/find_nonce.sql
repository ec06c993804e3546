-- The run that applied a plan.
-- params: 1 nonce of the plan (text)
-- returns: id (text); no row when nobody applied it
-- locks: none
SELECT id FROM {schema}.taskctl_runs WHERE plan_nonce = $1::text;
