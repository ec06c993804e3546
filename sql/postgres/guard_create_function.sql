-- What the triggers of one table call: all rules in one function, because every trigger, and every WHEN, costs an UPDATE more
-- than the rules themselves. Whatever fails in it except the refusal (a column was renamed, the log is gone) must not fail the
-- write: the writer gets a warning.
-- params: none
-- returns: nothing
-- locks: catalogue only
CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql {security} AS $taskctl$
BEGIN
{body}  RETURN NULL;
EXCEPTION
  WHEN check_violation THEN
    RAISE;
  WHEN OTHERS THEN
    RAISE WARNING 'taskctl guard: %', SQLERRM;
    RETURN NULL;
END
$taskctl$
