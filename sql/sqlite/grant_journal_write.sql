-- Lets a role that did not make the journal add runs and their changes: SQLite has nothing to do here.
-- params: none
-- returns: nothing
-- locks: none
SELECT 1 WHERE 0;
