-- Runs whose id begins with a text, the one whose id it is first; two rows tell that a prefix is not enough.
-- params: 1 id or the beginning of one (text)
-- returns: id, command, state, started_at, finished_at, os_user, sudo_user, host, pid, reason, arguments, version,
--          profile, profile_hash, plan_hash, plan_nonce, undoes, backup, detection_now, applied, moved_on, conflicts,
--          busy, failed
--          (texts, RFC 3339 in UTC with microseconds; NULL: not finished, no --now;
--          a run that has not finished, or was killed, has no counts yet: applied are the tasks in its journal)
-- locks: none
SELECT r.id, r.command, r.state, r.started_at, r.finished_at, r.os_user, r.sudo_user, r.host, r.pid, r.reason,
       r.arguments, r.version, r.profile, r.profile_hash, r.plan_hash, r.plan_nonce, r.undoes, r.backup,
       r.detection_now,
       CASE WHEN r.state = 'started'
            THEN (SELECT count(DISTINCT c.task) FROM main.taskctl_changes c WHERE c.run_id = r.id)
            ELSE r.applied END,
       r.moved_on, r.conflicts, r.busy, r.failed
  FROM main.taskctl_runs r
 WHERE substr(r.id, 1, length(?1)) = ?1
 ORDER BY (r.id = ?1) DESC, r.id
 LIMIT 2;
