-- Runs, newest first.
-- params: 1 how many at most (integer)
-- returns: id, command, state, started_at, finished_at, os_user, sudo_user, host, pid, reason, arguments, version,
--          profile, profile_hash, plan_hash, plan_nonce, undoes, backup, detection_now, applied, moved_on, conflicts,
--          busy, failed
--          (texts, RFC 3339 in UTC with microseconds; NULL: not finished, no --now;
--          a run that has not finished, or was killed, has no counts yet: applied are the tasks in its journal)
-- locks: none
SELECT r.id, r.command, r.state, to_char(r.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
       to_char(r.finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), r.os_user, r.sudo_user,
       r.host, r.pid, r.reason, r.arguments, r.version, r.profile, r.profile_hash, r.plan_hash, r.plan_nonce,
       r.undoes, r.backup, to_char(r.detection_now AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
       CASE WHEN r.state = 'started'
            THEN (SELECT count(DISTINCT c.task) FROM {schema}.taskctl_changes c WHERE c.run_id = r.id)
            ELSE r.applied END,
       r.moved_on, r.conflicts, r.busy, r.failed
  FROM {schema}.taskctl_runs r
 ORDER BY r.started_at DESC, r.id DESC
 LIMIT $1::text::bigint;
