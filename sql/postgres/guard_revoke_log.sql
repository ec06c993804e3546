-- Keeps other roles out of the log: it holds texts of statements. The function that fills it runs as its owner.
-- params: none
-- returns: nothing
-- locks: catalogue only
REVOKE ALL ON TABLE {schema}.taskctl_guard_log FROM PUBLIC
