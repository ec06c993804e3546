CREATE TABLE nodes (name text PRIMARY KEY, beat_at text, used integer);
CREATE TABLE tasks (id integer PRIMARY KEY, state text, kind text, created_at text, started_at text, finished_at text, lease_until text, node text, cost integer, note text);
INSERT INTO nodes VALUES
('live', '2025-06-01 11:59:30', 3), ('gone', '2025-06-01 09:00:00', 12), ('idle', '2025-06-01 08:00:00', 9);
INSERT INTO tasks (id, state, kind, created_at, started_at, finished_at, node, cost) VALUES
(1, 'running', 'build', '2025-06-01 11:49:00', '2025-06-01 11:50:00', NULL, 'live', 1),
(2, 'running', 'build', '2025-06-01 10:00:00', '2025-06-01 10:00:00', '2025-06-01 10:30:00', 'live', 2),
(3, 'running', 'build', '2025-06-01 09:59:00', '2025-06-01 10:00:00', NULL, 'gone', 3),
(4, 'running', 'test', '2025-06-01 11:57:00', '2025-06-01 11:58:00', NULL, 'gone', 4),
(5, 'running', 'test', '2025-06-01 10:00:00', '2025-06-01 10:00:00', '2025-06-01 10:30:00', 'gone', 5),
(6, 'running', 'test', '2025-06-01 09:59:00', '2025-06-01 10:00:00', NULL, 'stranger', 1),
(7, 'running', 'test', '2025-06-01 11:57:00', '2025-06-01 11:58:00', NULL, 'stranger', 1),
(8, 'queued', 'build', '2025-06-01 11:59:30', NULL, NULL, NULL, 1),
(9, 'failed', 'build', '2025-06-01 09:00:00', '2025-06-01 09:00:00', '2025-06-01 09:30:00', 'gone', 1),
(10, 'running', NULL, '2025-06-01 11:54:00', '2025-06-01 11:55:00', NULL, NULL, 1),
(11, 'failed', 'build', '2025-06-01 09:00:00', '2025-06-01 09:00:00', '2025-06-01 09:30:00', 'past', 1);
