-- The version of the journal's tables, once.
-- params: none
-- returns: nothing
-- locks: one row
INSERT INTO {schema}.taskctl_meta (name, value) VALUES ('journal_version', '1') ON CONFLICT (name) DO NOTHING;
