-- What a new connection asks about its server, after it has pinned its settings.
-- params: none
-- returns: version number integer, version text, database text, user text, standby boolean, refuses writes boolean
--   (before our own settings), database oid, may pg_control_system() be called boolean, then the settings as they are:
--   lock_timeout in ms, default_transaction_read_only, TimeZone
-- locks: none
SELECT current_setting('server_version_num'),
       current_setting('server_version'),
       current_database()::text,
       current_user::text,
       pg_is_in_recovery()::text,
       (SELECT reset_val FROM pg_settings WHERE name = 'default_transaction_read_only'),
       (SELECT oid::text FROM pg_database WHERE datname = current_database()),
       has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')::text,
       (SELECT setting FROM pg_settings WHERE name = 'lock_timeout'),
       current_setting('default_transaction_read_only'),
       current_setting('TimeZone')
