-- The newest run that is not an undo and changed something.
-- params: none
-- returns: id, command, state, started_at, finished_at, os_user, sudo_user, host, pid, reason, arguments, version,
--          profile, profile_hash, plan_hash, plan_nonce, undoes, backup, detection_now, applied, moved_on, conflicts,
--          busy, failed
--          (texts, RFC 3339 in UTC with microseconds; NULL: not finished, no --now)
-- locks: none
SELECT r.id, r.command, r.state, to_char(r.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
       to_char(r.finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), r.os_user, r.sudo_user,
       r.host, r.pid, r.reason, r.arguments, r.version, r.profile, r.profile_hash, r.plan_hash, r.plan_nonce,
       r.undoes, r.backup, to_char(r.detection_now AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
       r.applied, r.moved_on, r.conflicts, r.busy, r.failed
  FROM {schema}.taskctl_runs r
 WHERE r.command <> 'undo' AND r.state <> 'pruning'
   AND EXISTS (SELECT 1 FROM {schema}.taskctl_changes c WHERE c.run_id = r.id)
 ORDER BY r.started_at DESC, r.id DESC
 LIMIT 1;
