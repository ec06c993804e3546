-- Rows that contradict a rule of the guard already.
-- params: none
-- returns: count integer
-- locks: none
SELECT count(*) FROM {table} WHERE {condition}
