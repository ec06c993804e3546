-- A table with all its partitions and children: pg_dump -t writes the rows of exactly the tables it is given.
-- params: $1 schema text (empty: along the search_path), $2 table text
-- returns: schema text, table text, size in bytes with indexes and toast bigint, kind ('r' ordinary, 'p' partitioned);
--   no row when there is no such table
-- locks: ACCESS SHARE on each table for the moment of pg_total_relation_size
WITH RECURSIVE tree (oid) AS (
  SELECT to_regclass(CASE WHEN $1::text = '' THEN quote_ident($2::text)
                          ELSE quote_ident($1::text) || '.' || quote_ident($2::text) END)::oid
  UNION
  SELECT i.inhrelid FROM pg_inherits AS i JOIN tree AS t ON t.oid = i.inhparent
)
SELECT n.nspname::text, c.relname::text, pg_total_relation_size(c.oid)::text, c.relkind::text
FROM tree
JOIN pg_class AS c ON c.oid = tree.oid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p')
ORDER BY 1, 2
