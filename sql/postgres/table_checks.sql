-- The CHECK constraints of a table, as text with the word CHECK.
-- params: 1 name text, quoted like an identifier
-- returns: text
-- locks: none
SELECT pg_get_constraintdef(k.oid)
FROM pg_catalog.pg_constraint k
WHERE k.conrelid = to_regclass($1::text) AND k.contype = 'c'
ORDER BY k.conname
