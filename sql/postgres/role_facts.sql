-- Is there such a role, and may it do everything already?
-- params: 1 role text
-- returns: superuser integer 0/1, passes row-level security integer 0/1; no row when there is none
-- locks: none
SELECT rolsuper::int, (rolsuper OR rolbypassrls)::int FROM pg_catalog.pg_roles WHERE rolname = $1::text
