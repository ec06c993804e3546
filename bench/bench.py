"""Measures taskctl against sqlite3, psql and pg_dump in one run on one machine, and prints one table of ratios.

Called by scripts/bench, in a folder for its databases, with the PG* variables of a server that nobody else uses.
"""
import argparse
import os
import shutil
import statistics
import sys

import databases
from beside import Worker
from databases import NOW, PostgresCopies, SqliteCopies
from measure import Failed, Line, Pairs, compared, in_turn, percentile, run, seconds

COLUMNS = "task_id, task_type, status, started_at, error_message"
STUCK = ("status = 'running' AND started_at < '2026-01-01T07:00:00' "
         "OR status IN ('pending', 'retry') AND completed_at IS NOT NULL")
SELECT = f"SELECT {COLUMNS} FROM task_queue WHERE {STUCK}"
UPDATE = ("UPDATE task_queue SET status = 'failed', error_message = 'stuck', "
          "completed_at = coalesce(completed_at, '2026-01-01 00:00:00'), updated_at = '2026-01-01 00:00:00' "
          "WHERE status = 'running' AND started_at < '2026-01-01T07:00:00'")
MEBIBYTE = 1 << 20
WRITER_WAIT = {"sqlite": 0.050, "postgres": 0.250}  # seconds


class Bench:
    def __init__(self, options):
        self.options = options
        self.taskctl = os.path.abspath(options.taskctl)
        self.lines = []

    def add(self, line):
        self.lines.append(line)
        print(f"{line.what}: {line.figure}", file=sys.stderr, flush=True)

    def list_command(self, database, *more):
        return [self.taskctl, "list-stuck", "--db", database, "--now", NOW, "--output", "tsv", *more]

    def reconcile_command(self, database):
        return [self.taskctl, "reconcile", "--db", database, "--now", NOW, "--backup", "none", "--yes", "--quiet",
                "--max-changes", str(self.options.rows)]

    # One method for each line of design section 7; an engine is told by what it needs.

    def listing(self, name, database, raw, limit):
        pairs = in_turn(self.options.runs, lambda: run(self.list_command(database)), lambda: run(raw))
        self.add(compared(f"list-stuck, {name}", pairs, limit))
        return pairs

    def memory(self, name, pairs):
        peak = max(sample.memory for sample in pairs.ours)
        # 16 MiB of it are the spool.
        self.add(Line(f"memory of list-stuck, {name}", "≤ 48 MiB", f"{peak / MEBIBYTE:.0f} MiB", "-",
                      f"{peak / MEBIBYTE:.0f} MiB", peak <= 48 * MEBIBYTE))

    def reconcile(self, name, copies, where, raw, limit):
        def ours():
            return run(self.reconcile_command(where(copies.fresh())))

        def theirs():
            return run(raw(copies.fresh()))

        self.add(compared(f"reconcile, {name}", in_turn(self.options.write_runs, ours, theirs, warm_up=False), limit))

    def beside(self, name, engine, copies, where):
        """The worker alone, then while reconcile runs: how long it waits, and whether anything is lost."""
        database = copies.fresh()
        worker = Worker(engine, database, self.options.rows)
        run(f"sleep {self.options.alone}")
        alone, _, _ = worker.stop()
        worker = Worker(engine, database, self.options.rows)
        run(self.reconcile_command(where(database)))
        latencies, busy, lost = worker.stop()
        ratio = percentile(latencies, 0.99) / max(percentile(alone, 0.99), 1e-6)
        self.add(Line(f"worker beside reconcile, {name}: p99", "≤ 2x", f"{percentile(latencies, 0.99) * 1000:.1f} ms",
                      f"{percentile(alone, 0.99) * 1000:.1f} ms alone",
                      f"{ratio:.2f}x, {busy} busy, {'an update lost' if lost else 'none lost'}",
                      ratio <= 2 and busy == 0 and not lost))
        longest = max(latencies, default=0)
        limit = WRITER_WAIT[engine]
        self.add(Line(f"worker beside reconcile, {name}: longest wait", f"≤ {limit * 1000:.0f} ms",
                      f"{longest * 1000:.0f} ms", f"{max(alone, default=0) * 1000:.0f} ms alone",
                      f"{longest * 1000:.0f} ms", longest <= limit))

    def backup(self, name, database, raw, limit):
        def ours():
            shutil.rmtree("backups", ignore_errors=True)
            os.mkdir("backups")
            return run([self.taskctl, "backup", "--db", database, "--backup-dir", "backups", "--max-stall", "1h"])

        self.add(compared(f"backup with verification, {name}",
                          in_turn(self.options.write_runs, ours, lambda: run(raw), warm_up=False), limit))
        shutil.rmtree("backups", ignore_errors=True)

    def start(self, name, ours, theirs):
        pairs = in_turn(4 * self.options.runs, lambda: run(ours), lambda: run(theirs))
        wall = statistics.median(sample.wall for sample in pairs.ours)
        times = 1 / pairs.ratio()
        self.add(Line(name, "≤ 10 ms, ≥ 10x faster", seconds(pairs.ours), seconds(pairs.theirs),
                      f"{wall * 1000:.1f} ms, {times:.1f}x faster", wall <= 0.010 and times >= 10))


def measure_start(bench):
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "list_stuck.py")
    databases.make_sqlite("small.db", 1000)
    bench.start("start-up: --version", [bench.taskctl, "--version"], [sys.executable, script, "--version"])
    bench.start("start-up: list-stuck on a small file", bench.list_command("small.db"),
                [sys.executable, script, "--db", "small.db", "--now", NOW])


def measure_sqlite(bench):
    rows = bench.options.rows
    path = os.path.abspath("queue.db")
    if not os.path.exists(path):
        databases.make_sqlite(path, rows)
    pairs = bench.listing("SQLite, status indexed", path, ["sqlite3", path, SELECT], 1.3)
    bench.memory("SQLite", pairs)
    copies = SqliteCopies(path)
    bench.reconcile("SQLite", copies, str, lambda copy: ["sqlite3", copy, UPDATE], 1.3)
    bench.beside("SQLite", "sqlite", copies, str)
    bench.backup("SQLite", path, f"rm -f raw.db; sqlite3 '{path}' '.backup raw.db' && sqlite3 raw.db 'PRAGMA quick_check'",
                 1.0)
    plain = copies.fresh()
    run(["sqlite3", plain, databases.DROP_INDEXES])
    bench.listing("SQLite, no usable index", plain, ["sqlite3", plain, SELECT], 1.2)
    copies.remove()


def measure_postgres(bench):
    rows = bench.options.rows
    queue = "taskctl_bench_queue"
    databases.make_postgres(queue, "task_queue.postgres.sql", rows)

    def where(name):
        return f"dbname={name}"

    def psql(sql):
        return lambda name: ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql, name]

    pairs = bench.listing("PostgreSQL, status indexed", where(queue), psql(SELECT)(queue), 1.3)
    bench.memory("PostgreSQL", pairs)
    copies = PostgresCopies(queue, "taskctl_bench_copy")
    bench.reconcile("PostgreSQL", copies, where, psql(UPDATE), 3.0)
    bench.beside("PostgreSQL", "postgres", copies, where)
    bench.backup("PostgreSQL", where(queue), f"rm -f raw.dump; pg_dump -Fc -f raw.dump {queue}", 0.6)
    plain = copies.fresh()
    databases.psql(plain, databases.DROP_INDEXES)
    bench.listing("PostgreSQL, no usable index", where(plain), psql(SELECT)(plain), 1.2)
    copies.remove()
    databases.drop_postgres(queue)


def measure_evidence(bench):
    name = "taskctl_bench_evidence"
    databases.make_postgres(name, "evidence.postgres.sql", bench.options.evidence_rows)
    raw = ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-f", os.path.join(databases.DATA, "evidence_raw.postgres.sql"), name]
    profile = os.path.join(databases.DATA, "evidence.toml")
    pairs = in_turn(bench.options.runs, lambda: run(bench.list_command(f"dbname={name}", "--profile", profile)),
                    lambda: run(raw))
    bench.add(compared("list-stuck with results, logs and accounts, PostgreSQL", pairs, 2.0))
    databases.drop_postgres(name)


def print_table(bench):
    options = bench.options
    print(f"{options.rows:,} tasks ({options.evidence_rows:,} with results and logs), {options.runs} runs "
          f"({options.write_runs} of what writes), medians (lowest-highest), {os.cpu_count()} processors")
    print()
    print("| what | taskctl | against | ratio | goal | |")
    print("|---|---|---|---|---|---|")
    for line in bench.lines:
        print(f"| {line.what} | {line.ours} | {line.theirs} | {line.figure} | {line.goal} | {'met' if line.met else 'NOT met'} |")


def parse(arguments):
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rows", type=int, default=5_000_000, help="tasks in the plain queues (default 5,000,000)")
    parser.add_argument("--evidence-rows", type=int, help="tasks in the cluster (default: a fifth of --rows)")
    parser.add_argument("--runs", type=int, default=5, help="counted runs of each command that reads (default 5)")
    parser.add_argument("--write-runs", type=int, default=3, help="of those that write or copy (default 3)")
    parser.add_argument("--alone", type=float, default=10, help="seconds for which the worker runs alone (default 10)")
    parser.add_argument("--only", choices=["start", "sqlite", "postgres", "evidence"], action="append",
                        help="measure this part only; repeatable")
    parser.add_argument("--taskctl", required=True, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.rows < 10_000 or options.rows % 10_000:
        parser.error("--rows has to be a multiple of 10000")
    options.evidence_rows = options.evidence_rows or max(options.rows // 50_000 * 10_000, 10_000)
    return options


def main(arguments):
    bench = Bench(parse(arguments))
    parts = {"start": measure_start, "sqlite": measure_sqlite, "postgres": measure_postgres,
             "evidence": measure_evidence}
    try:
        for name, part in parts.items():
            if not bench.options.only or name in bench.options.only:
                part(bench)
    except Failed as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 1
    print_table(bench)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
