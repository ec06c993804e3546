-- Key columns of every index of a table.
-- params: 1 name text, as find_table returned it
-- returns: index name text, is_unique integer 0/1 (unique over whole rows: no WHERE clause), column text (NULL for an
--          expression); in the order of the columns
-- locks: none
SELECT l.name, l."unique" AND NOT l.partial, i.name
FROM pragma_index_list(?1) l, pragma_index_info(l.name) i
ORDER BY l.name, i.seqno
