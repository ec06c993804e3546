-- One fact about the journal.
-- params: 1 name (text)
-- returns: value (text); no row when it is not known
-- locks: none
SELECT value FROM {schema}.taskctl_meta WHERE name = $1::text;
