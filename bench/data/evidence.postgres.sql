-- A container cluster with {rows} tasks, three lines of log and one result for each, the same ones every time.
-- Clock of the data: 2026-01-01T00:00:00Z. Of 100 tasks 1 is running, 2 are queued, 3 were cancelled, 5 failed, the
-- others completed. Of the running ones a fifth has a result, a fifth a dead worker, a tenth no assignment; the rest is
-- at work. Of 10,000 tasks that are over 1 has two results and 1 was overwritten after its cancel.
SET synchronous_commit = off;
CREATE TABLE worker_registry (worker_id text PRIMARY KEY, worker_ip text, total_cpu double precision,
  total_memory double precision, total_storage double precision, total_gpu double precision,
  allocated_cpu double precision, allocated_memory double precision, allocated_storage double precision,
  allocated_gpu double precision, available_cpu double precision, available_memory double precision,
  available_storage double precision, available_gpu double precision, is_active boolean, last_heartbeat bigint,
  registered_at timestamptz, updated_at timestamptz);
CREATE TABLE tasks (task_id text PRIMARY KEY, user_id text, docker_image text, command text,
  req_cpu double precision, req_memory double precision, req_storage double precision, req_gpu double precision,
  status text, created_at timestamptz, started_at timestamptz, completed_at timestamptz);
CREATE TABLE assignments (ass_id text PRIMARY KEY, task_id text NOT NULL, worker_id text NOT NULL,
  assigned_at timestamptz);
CREATE TABLE results (id bigserial PRIMARY KEY, task_id text NOT NULL, worker_id text, status text, logs text,
  completed_at timestamptz);
CREATE TABLE task_logs (id bigserial PRIMARY KEY, task_id text NOT NULL, content text, created_at timestamptz);

CREATE TEMP VIEW task AS
SELECT i, 'task-' || lpad(i::text, 8, '0') AS id,
  CASE WHEN i % 100 = 7 THEN 'running' WHEN i % 50 = 3 THEN 'queued' WHEN i % 100 IN (21, 51, 81) THEN 'cancelled'
       WHEN i % 20 = 11 THEN 'failed' ELSE 'completed' END AS status,
  timestamptz '2026-01-01 00:00:00+00' - CASE WHEN i % 100 = 7 THEN 7200 + i * 7919 % 252000
    ELSE 259200 + ({rows} - i) * 7776000 / {rows} END * interval '1 second' AS started,
  'worker-' || lpad((i / 100 * 31 % 200)::text, 3, '0') AS worker
FROM generate_series(1::bigint, {rows}) i;
INSERT INTO tasks
SELECT id, 'user-' || i % 500, 'registry.example/job:' || i % 40, 'run --input ' || i, 1, 2, 5, 0, status,
  started - interval '1 minute', CASE WHEN status <> 'queued' THEN started END,
  CASE WHEN status IN ('completed', 'failed', 'cancelled') THEN started + interval '10 minutes' END
FROM task;
INSERT INTO assignments
SELECT 'ass-' || i, id, worker, started FROM task WHERE status <> 'queued' AND NOT (status = 'running' AND i % 1000 = 207);
INSERT INTO results (task_id, worker_id, status, logs, completed_at)
SELECT id, worker,
  CASE WHEN i % 10000 = 5011 THEN 'cancelled' WHEN status = 'failed' THEN 'failed' WHEN status = 'cancelled' THEN 'cancelled'
       ELSE 'success' END,
  'job ' || i || ' ended; ' || repeat('output of the container ', 4), started + interval '10 minutes'
FROM task WHERE status IN ('completed', 'failed', 'cancelled') OR (status = 'running' AND i % 1000 IN (307, 407))
ORDER BY started;
INSERT INTO results (task_id, worker_id, status, logs, completed_at)
SELECT id, worker, 'success', NULL, started + interval '11 minutes' FROM task WHERE i % 10000 IN (6000, 5011);
INSERT INTO task_logs (task_id, content, created_at)
SELECT id, CASE line WHEN 1 THEN 'container started' WHEN 2 THEN 'step ' || i % 17 || ' of the job is done'
                     ELSE CASE WHEN status = 'failed' OR i % 200 = 107 THEN '[ERROR] out of memory' ELSE 'still at work' END END,
  started + line * interval '1 minute'
FROM task, generate_series(1, 3) line ORDER BY started;
INSERT INTO worker_registry
SELECT 'worker-' || lpad(w::text, 3, '0'), '192.0.2.' || w, 10000, 20000, 50000, 0,
  r.n, 2 * r.n, 5 * r.n, 0, 10000 - r.n, 20000 - 2 * r.n, 50000 - 5 * r.n, 0, true,
  1767225600 - CASE WHEN w % 5 = 2 THEN 7200 ELSE 10 END, '2025-12-01', '2026-01-01'
FROM generate_series(0, 199) w CROSS JOIN LATERAL (
  SELECT count(*) - CASE WHEN w % 50 = 1 THEN 1 ELSE 0 END AS n FROM task
  WHERE status = 'running' AND i % 1000 <> 207 AND worker = 'worker-' || lpad(w::text, 3, '0')) r;
CREATE INDEX tasks_status ON tasks(status);
CREATE INDEX assignments_task ON assignments(task_id);
CREATE INDEX results_task ON results(task_id);
CREATE INDEX task_logs_task ON task_logs(task_id);
VACUUM ANALYZE;
CHECKPOINT;
