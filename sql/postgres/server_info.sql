-- What a new connection asks about its server, after it has pinned its settings.
-- params: none
-- returns: version number integer, version text, database text, user text, standby boolean, refuses writes boolean
--   (before our own settings), database oid, may pg_control_system() be called boolean, server process integer, when it
--   was started (text), settings of this session as they are ("NAME=VALUE" with a line feed after each, by name; times
--   in ms)
-- locks: none
SELECT current_setting('server_version_num'),
       current_setting('server_version'),
       current_database()::text,
       current_user::text,
       pg_is_in_recovery()::text,
       (SELECT reset_val FROM pg_settings WHERE name = 'default_transaction_read_only'),
       (SELECT oid::text FROM pg_database WHERE datname = current_database()),
       has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')::text,
       pg_backend_pid()::text,
       (SELECT backend_start::text FROM pg_stat_get_activity(pg_backend_pid())),
       (SELECT string_agg(name || '=' || setting || E'\n', '' ORDER BY name COLLATE "C") FROM pg_settings
         WHERE name IN ('DateStyle', 'IntervalStyle', 'TimeZone', 'bytea_output', 'default_transaction_read_only',
                        'extra_float_digits', 'idle_in_transaction_session_timeout', 'jit', 'lock_timeout',
                        'standard_conforming_strings', 'statement_timeout'))
