-- What kind of relation a guard would be put on, and whether this role may.
-- params: 1 name text, quoted like an identifier
-- returns: kind text (table, partitioned, inherited, view, foreign), owner text, owned integer 0/1 (the role is the owner or
--          has the owner's rights); no row when there is none
-- locks: none
SELECT CASE WHEN c.relkind = 'p' THEN 'partitioned' WHEN c.relkind = 'f' THEN 'foreign' WHEN c.relkind <> 'r' THEN 'view'
            WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_inherits i WHERE i.inhparent = c.oid) THEN 'inherited'
            ELSE 'table' END,
       pg_catalog.pg_get_userbyid(c.relowner), pg_catalog.pg_has_role(c.relowner, 'USAGE')::int
FROM pg_catalog.pg_class c
WHERE c.oid = to_regclass($1::text)
