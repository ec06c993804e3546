-- Called by triggers for rows that contradict themselves: ends the statement with SQLSTATE 23514, like a CHECK.
-- params: none
-- returns: nothing
-- locks: catalogue only
CREATE OR REPLACE FUNCTION {schema}.taskctl_guard_reject() RETURNS trigger LANGUAGE plpgsql AS $taskctl$
BEGIN
  RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = TG_NAME, SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME,
    MESSAGE = TG_NAME || ': ' || TG_ARGV[1],
    HINT = 'taskctl guard status explains this rule; taskctl guard install --mode log records instead of rejecting.';
END
$taskctl$
