#!/usr/bin/env python3
"""Three UPDATEs a task (claim, heartbeat, end), each a transaction, as an application with cached statements sends them.

usage: guard_updates.py DATABASE FIRST TASKS durable|fast; prints microseconds per UPDATE by the clock, and of CPU. The rows bench_FIRST …
are there already.
"""
import sqlite3
import sys
import time

STATEMENTS = (
    "UPDATE task_queue SET status = 'running', started_at = ? WHERE task_id = ?",
    "UPDATE task_queue SET updated_at = ? WHERE task_id = ?",
    "UPDATE task_queue SET status = 'success', completed_at = ? WHERE task_id = ?",
)


def main():
    database, first, tasks, how = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    connection = sqlite3.connect(database, isolation_level=None)
    if how == "fast":
        connection.execute("PRAGMA journal_mode = wal")
        connection.execute("PRAGMA synchronous = off")
    began, began_cpu = time.perf_counter(), time.process_time()
    for number in range(first, first + tasks):
        for statement in STATEMENTS:
            connection.execute(statement, ("2025-12-19 02:01:00", f"bench_{number}"))
    updates = tasks * len(STATEMENTS) / 1e6
    print(f"{(time.perf_counter() - began) / updates:.1f} {(time.process_time() - began_cpu) / updates:.1f}")


main()
