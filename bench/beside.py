"""A worker that does 200 transactions a second on the same table: how long each takes, and whether one gets lost.

Run as a program it is that worker: beside.py sqlite FILE ROWS, or beside.py postgres DATABASE ROWS.
"""
import sqlite3
import subprocess
import sys
import threading
import time

RATE = 200
UPDATE = "UPDATE task_queue SET retry_count = retry_count + 1 WHERE id = {id}"
COUNT = "SELECT sum(retry_count) FROM task_queue WHERE status = 'pending'"


class Worker:
    def __init__(self, engine, where, rows):
        self._process = subprocess.Popen([sys.executable, __file__, engine, where, str(rows)], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, text=True)
        self._process.stdout.readline()

    def stop(self):
        """Latencies in seconds, how often the database was busy, whether an update got lost."""
        out, _ = self._process.communicate("stop\n")
        lines = out.split("\n")
        return [float(word) for word in lines[0].split()], int(lines[1]), lines[2] == "lost"


class Sqlite:
    def __init__(self, path):
        self._connection = sqlite3.connect(path, timeout=5, isolation_level=None)

    def total(self):
        return self._connection.execute(COUNT).fetchone()[0]

    def add_one(self, key):
        """False: the database was busy for the whole 5 s."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute(UPDATE.format(id=key))
            self._connection.execute("COMMIT")
            return True
        except sqlite3.OperationalError:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            return False


class Psql:
    """A session of psql: no driver for Python is needed."""

    def __init__(self, database):
        self._process = subprocess.Popen(["psql", "-XAtq", database], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         stderr=subprocess.STDOUT, text=True, bufsize=1)
        self._ask("SET lock_timeout = '5s';")

    def _ask(self, sql):
        self._process.stdin.write(sql + "\n\\echo end\n")
        self._process.stdin.flush()
        lines = []
        while (line := self._process.stdout.readline().rstrip("\n")) != "end":
            if not line and self._process.poll() is not None:
                raise RuntimeError("psql ended")
            lines.append(line)
        return lines

    def total(self):
        return int(self._ask(COUNT + ";")[0])

    def add_one(self, key):
        return not self._ask(UPDATE.format(id=key) + ";")


def main(engine, where, rows):
    database = Sqlite(where) if engine == "sqlite" else Psql(where)
    before = database.total()
    stop = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.readline(), stop.set()), daemon=True).start()
    print("ready", flush=True)
    latencies, busy, done = [], 0, 0
    due = time.monotonic()
    while not stop.is_set():
        began = time.monotonic()
        if database.add_one(done * 7919 % (rows // 100) * 100 + 3):
            done += 1
        else:
            busy += 1
        latencies.append(time.monotonic() - began)
        due = max(due + 1 / RATE, time.monotonic() - 1)
        time.sleep(max(0.0, due - time.monotonic()))
    lost = database.total() - before != done
    print(" ".join(f"{latency:.6f}" for latency in latencies))
    print(busy)
    print("lost" if lost else "kept")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
