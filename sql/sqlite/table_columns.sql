-- Columns of a table in their order.
-- params: 1 name text, as find_table returned it
-- returns: name text, type text (as declared, may be empty), not_null, generated integer 0/1, identity_always (always 0),
--          primary_key integer (position in the primary key from 1, else 0), labels (always NULL),
--          can_select, can_update, can_insert (always 1)
-- locks: none
SELECT name, type, "notnull", hidden IN (2, 3), 0, pk, NULL, 1, 1, 1
FROM pragma_table_xinfo(?1)
WHERE hidden <> 1
ORDER BY cid
