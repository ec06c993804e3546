-- From here on the run cannot be undone: its changes are about to go, a few at a time.
-- params: 1 id of the run (text)
-- returns: nothing
-- locks: the row
UPDATE main.taskctl_runs SET state = 'pruning' WHERE id = ?1;
