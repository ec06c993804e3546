-- Facts about the journal itself: journal_version, uuid.
-- params: none
-- returns: nothing
-- locks: catalogue only
CREATE TABLE IF NOT EXISTS {schema}.taskctl_meta (
  name  text PRIMARY KEY,
  value text NOT NULL
);
