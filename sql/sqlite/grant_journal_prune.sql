-- Lets a role that did not make the journal take old runs out of it: SQLite has nothing to do here.
-- params: none
-- returns: nothing
-- locks: none
SELECT 1 WHERE 0;
