-- What taskctl lists of the cluster, by hand: which tasks and accounts are wrong, and what says so.
-- Without JIT, which takes longer here than the statement itself: the comparison is with the best that can be typed.
SET jit = off;
WITH running AS (
  SELECT t.task_id, t.started_at, t.req_cpu, t.req_memory, t.req_storage, t.req_gpu,
    (SELECT a.worker_id FROM assignments a WHERE a.task_id = t.task_id ORDER BY a.assigned_at DESC LIMIT 1) AS worker
  FROM tasks t WHERE t.status = 'running'),
ended AS (
  SELECT t.task_id, r.worker, w.last_heartbeat, e.status AS result, e.completed_at
  FROM running r JOIN tasks t USING (task_id) LEFT JOIN worker_registry w ON w.worker_id = r.worker
    LEFT JOIN LATERAL (SELECT * FROM results e WHERE e.task_id = t.task_id ORDER BY e.id LIMIT 1) e ON true
  WHERE e.id IS NOT NULL OR w.worker_id IS NULL OR w.last_heartbeat < 1767225600 - 30)
SELECT 'stuck', task_id, worker, result, completed_at,
  (SELECT l.content FROM task_logs l WHERE l.task_id = ended.task_id ORDER BY l.id DESC LIMIT 1)
FROM ended
UNION ALL
SELECT 'duplicate', e.task_id, NULL, min(e.status), min(e.completed_at), NULL
FROM results e JOIN tasks t USING (task_id) WHERE t.status IN ('completed', 'failed', 'cancelled')
GROUP BY e.task_id HAVING count(*) > 1
UNION ALL
SELECT 'overwritten', e.task_id, NULL, e.status, e.completed_at, NULL
FROM results e JOIN tasks t USING (task_id)
WHERE e.status = 'cancelled' AND t.status IN ('completed', 'failed')
  AND NOT EXISTS (SELECT 1 FROM results o WHERE o.task_id = e.task_id AND o.id < e.id)
UNION ALL
SELECT 'account', w.worker_id, NULL, NULL, NULL, NULL
FROM worker_registry w LEFT JOIN (
  SELECT worker, sum(req_cpu) AS cpu, sum(req_memory) AS memory, sum(req_storage) AS storage, sum(req_gpu) AS gpu
  FROM running GROUP BY worker) s ON s.worker = w.worker_id
WHERE (w.allocated_cpu, w.allocated_memory, w.allocated_storage, w.allocated_gpu) IS DISTINCT FROM
    (coalesce(s.cpu, 0), coalesce(s.memory, 0), coalesce(s.storage, 0), coalesce(s.gpu, 0));
