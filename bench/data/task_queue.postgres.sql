-- A plain task queue of {rows} rows, the same ones every time and the same as in SQLite.
-- Clock of the data: 2026-01-01T00:00:00Z. Times are texts, as that application keeps them.
SET synchronous_commit = off;
CREATE TABLE task_queue (
  id bigserial PRIMARY KEY,
  task_id text UNIQUE NOT NULL,
  task_type text NOT NULL,
  priority integer DEFAULT 5,
  status text DEFAULT 'pending',
  data text,
  result text,
  error_message text,
  retry_count integer DEFAULT 0,
  max_retries integer DEFAULT 3,
  created_at text,
  started_at text,
  completed_at text,
  updated_at text
);
WITH task AS (
  SELECT i,
    CASE WHEN i % 100 = 7 THEN 'running' WHEN i % 50 = 3 THEN 'pending' WHEN i % 20 = 11 THEN 'failed'
         ELSE 'success' END AS status,
    to_timestamp(1767225600 - CASE WHEN i % 1000 = 507 THEN 600 + i % 2400
                                   WHEN i % 100 = 7 THEN 7200 + i * 7919 % 252000
                                   ELSE 259200 + ({rows} - i) * 7776000 / {rows} END) AT TIME ZONE 'UTC' AS started
  FROM generate_series(1::bigint, {rows}) i)
INSERT INTO task_queue (task_id, task_type, priority, status, data, result, error_message, created_at, started_at,
                        completed_at, updated_at)
SELECT 'task_' || lpad(i::text, 7, '0'),
  CASE i % 4 WHEN 0 THEN 'publish' WHEN 1 THEN 'data_collect' WHEN 2 THEN 'account_check' ELSE 'batch_publish' END,
  i % 10, status,
  '{{"platform": "douyin", "account_id": "acc-' || lpad((i * 31 % 100000)::text, 5, '0') || '", "title": "video number '
    || i || '"}}',
  CASE status WHEN 'success' THEN '{{"ok": true}}' END,
  CASE status WHEN 'failed' THEN 'AccountBlockedException: account suspended' END,
  to_char(started + interval '479 minutes', 'YYYY-MM-DD"T"HH24:MI:SS') || '.' || lpad((i * 7919 % 1000000)::text, 6, '0'),
  CASE WHEN status <> 'pending' THEN
    to_char(started + interval '8 hours', 'YYYY-MM-DD"T"HH24:MI:SS') || '.' || lpad((i * 7919 % 1000000)::text, 6, '0') END,
  CASE WHEN status IN ('success', 'failed') THEN to_char(started + interval '2 minutes', 'YYYY-MM-DD HH24:MI:SS') END,
  to_char(started + CASE WHEN status IN ('success', 'failed') THEN interval '2 minutes' ELSE interval '0' END,
          'YYYY-MM-DD HH24:MI:SS')
FROM task;
CREATE INDEX idx_task_status ON task_queue(status);
CREATE INDEX idx_task_type ON task_queue(task_type);
CREATE INDEX idx_task_created ON task_queue(created_at);
VACUUM ANALYZE task_queue;
CHECKPOINT;
