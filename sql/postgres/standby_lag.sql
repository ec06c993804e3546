-- How far a standby is behind: the age of the newest transaction that it has replayed. An idle primary looks like a
-- lag too, which is the safe side: where nothing is written, no worker reports either.
-- params: none
-- returns: lag integer (microseconds; NULL: nothing was replayed since the standby started)
-- locks: none
SELECT (extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) * 1000000)::bigint::text;
