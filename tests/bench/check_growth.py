#!/usr/bin/env python3
"""One worker with 20,000 tasks, and one task with 100,000 results: planning takes seconds, not the square of them.

What is measured against took minutes for each: a list of planned tasks that was gone through for every task, and a walk
through all results for every task that has none.
"""
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
TASKCTL = os.environ["TASKCTL"]
NAME = f"taskctl_growth_{os.getpid()}"
BOUND = 90  # seconds, on a machine that has much else to do; 3 on a quiet one

MANY = """
INSERT INTO tasks SELECT 'big-' || lpad(i::text, 8, '0'), 'u', 'image', 'c', 1, 2, 5, 0, 'running',
    timestamptz '2025-12-30 00:00:00+00', timestamptz '2025-12-30 00:00:00+00' + i * interval '1 second', NULL
  FROM generate_series(1, 20000) i;
INSERT INTO assignments SELECT 'big-' || i, 'big-' || lpad(i::text, 8, '0'), 'worker-big', '2025-12-30'
  FROM generate_series(1, 20000) i;
INSERT INTO worker_registry SELECT 'worker-big', '192.0.2.1', 100000, 200000, 500000, 0, 20000, 40000, 100000, 0, 80000,
  160000, 400000, 0, true, 1767225600 - 7200, '2025-12-01', '2026-01-01';
INSERT INTO results (task_id, worker_id, status, completed_at)
  SELECT 'task-00000001', 'worker-000', 'success', timestamptz '2025-12-01' + i * interval '1 second'
  FROM generate_series(1, 100000) i;
VACUUM ANALYZE;
"""


def psql(sql):
    subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", NAME], input=sql, text=True, check=True,
                   stdout=subprocess.DEVNULL)


def dry_run(*command):
    """Seconds, and the changes that are planned."""
    began = time.monotonic()
    done = subprocess.run([TASKCTL, *command, "--dry-run", "--db", f"dbname={NAME}", "--profile", "cluster", "--now",
                           "2026-01-01T00:00:00Z"], text=True, capture_output=True, timeout=2 * BOUND, check=False)
    seconds = time.monotonic() - began
    plan = [line for line in done.stdout.splitlines() if line.startswith("plan: ")]
    if done.returncode != 0 or not plan:
        sys.exit(f"{command} ended with {done.returncode}: {done.stderr[-1000:]}")
    print(f"{' '.join(command)}: {seconds:.1f} s; {plan[0]}")
    return seconds, int(plan[0].split()[1])


def main():
    subprocess.run(["createdb", NAME], check=True)
    try:
        script = ROOT / "bench" / "data" / "evidence.postgres.sql"
        psql(script.read_text(encoding="utf-8").format(rows=1000))
        psql(MANY)
        for command in (["reconcile"], ["release-worker", "worker-big", "--force"]):
            seconds, tasks = dry_run(*command)
            if tasks < 20_000:
                sys.exit(f"{command} plans {tasks} tasks instead of 20,000")
            if seconds > BOUND:
                sys.exit(f"{command} took {seconds:.0f} s, more than {BOUND} s")
    finally:
        subprocess.run(["dropdb", "--force", NAME], check=False)


main()
