-- A plain task queue of {rows} rows, the same ones every time. Clock of the data: 2026-01-01T00:00:00Z.
-- Of 100 tasks 1 is running (9 of 10 of those for 2 to 72 hours, the others for 10 to 50 minutes), 2 are pending,
-- 5 failed, the others ended well. Running tasks stand everywhere in the table.
PRAGMA journal_mode = off;
PRAGMA synchronous = off;
PRAGMA cache_size = -200000;
BEGIN;
CREATE TABLE task_queue (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  task_id TEXT UNIQUE NOT NULL,
  task_type TEXT NOT NULL,
  priority INTEGER DEFAULT 5,
  status TEXT DEFAULT 'pending',
  data TEXT,
  result TEXT,
  error_message TEXT,
  retry_count INTEGER DEFAULT 0,
  max_retries INTEGER DEFAULT 3,
  created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  started_at TIMESTAMP,
  completed_at TIMESTAMP,
  updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);
WITH RECURSIVE
  number (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM number WHERE i < {rows}),
  task (i, status, started) AS (
    SELECT i,
      CASE WHEN i % 100 = 7 THEN 'running' WHEN i % 50 = 3 THEN 'pending' WHEN i % 20 = 11 THEN 'failed'
           ELSE 'success' END,
      1767225600 - CASE WHEN i % 1000 = 507 THEN 600 + i % 2400
                        WHEN i % 100 = 7 THEN 7200 + i * 7919 % 252000
                        ELSE 259200 + ({rows} - i) * 7776000 / {rows} END
    FROM number)
INSERT INTO task_queue (task_id, task_type, priority, status, data, result, error_message, created_at, started_at,
                        completed_at, updated_at)
SELECT printf('task_%07d', i),
  CASE i % 4 WHEN 0 THEN 'publish' WHEN 1 THEN 'data_collect' WHEN 2 THEN 'account_check' ELSE 'batch_publish' END,
  i % 10, status,
  printf('{{"platform": "douyin", "account_id": "acc-%05d", "title": "video number %d"}}', i * 31 % 100000, i),
  CASE status WHEN 'success' THEN '{{"ok": true}}' END,
  CASE status WHEN 'failed' THEN 'AccountBlockedException: account suspended' END,
  strftime('%Y-%m-%dT%H:%M:%S', started - 60, 'unixepoch', '+8 hours') || printf('.%06d', i * 7919 % 1000000),
  CASE WHEN status <> 'pending'
    THEN strftime('%Y-%m-%dT%H:%M:%S', started, 'unixepoch', '+8 hours') || printf('.%06d', i * 7919 % 1000000) END,
  CASE WHEN status IN ('success', 'failed') THEN datetime(started + 120, 'unixepoch') END,
  datetime(started + CASE WHEN status IN ('success', 'failed') THEN 120 ELSE 0 END, 'unixepoch')
FROM task;
CREATE INDEX idx_task_status ON task_queue(status);
CREATE INDEX idx_task_type ON task_queue(task_type);
CREATE INDEX idx_task_created ON task_queue(created_at);
COMMIT;
PRAGMA journal_mode = wal;
