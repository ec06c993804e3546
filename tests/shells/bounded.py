#!/usr/bin/env python3
"""Completion answers within its second, prints no error and writes nothing, whatever the target does.

The targets: a server that accepts and never answers, a SQLite file that another process holds, a folder without rights, and a
PostgreSQL server (needs PGHOST), where runs and tasks are offered.
"""
import os
import pathlib
import re
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "fixtures"
# One second of patience, the end of the program that is asked, and a machine that has other things to do.
LONGEST = 4.0

problems: list[str] = []


def complete(words: list[str], folder: str, **environment: str) -> list[str]:
    kept = {name: value for name, value in os.environ.items() if name != "DATABASE_URL" and not name.startswith("TASKCTL_")}
    begin = time.monotonic()
    result = subprocess.run([os.environ["TASKCTL"], "__complete", *words], cwd=folder, capture_output=True, text=True, timeout=60,
                            env=dict(kept, HOME=folder, XDG_CONFIG_HOME=f"{folder}/c", XDG_STATE_HOME=f"{folder}/s", **environment),
                            check=False)
    took = time.monotonic() - begin
    if result.returncode != 0 or result.stderr or took > LONGEST:
        problems.append(f"{words}: code {result.returncode}, {took:.1f} s, stderr {result.stderr!r}")
    return result.stdout.splitlines()


def complete_patiently(words: list[str], folder: str, **environment: str) -> list[str]:
    """Where there is something to offer. A machine that is busy may let the program's second pass without an answer."""
    lines: list[str] = []
    for _ in range(8):
        lines = complete(words, folder, **environment)
        if len(lines) > 1:
            break
    return lines


def expect(what: str, actual: object, wanted: object) -> None:
    if actual != wanted:
        problems.append(f"{what}: {actual!r} instead of {wanted!r}")


def deaf_server(folder: str) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        place = f"host=127.0.0.1 port={listener.getsockname()[1]} connect_timeout=30"
        expect("a server that never answers", complete(["show", "--db", place, ""], folder), ["words"])


def held_file(folder: str) -> None:
    path = f"{folder}/held.db"
    with sqlite3.connect(path) as database:
        database.executescript((FIXTURES / "task_queue.sqlite.sql").read_text(encoding="utf-8"))
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    expect("a file that is locked", complete(["show", "--db", path, ""], folder), ["words"])
    holder.close()
    expect("the same file, free", len(complete_patiently(["show", "--db", path, "task_00"], folder)), 9)
    expect("files beside it", sorted(os.listdir(folder)), ["held.db"])


def nothing_there(folder: str) -> None:
    expect("no target", complete(["undo", ""], folder), ["words"])
    expect("a broken configuration", complete(["undo", "--config", f"{folder}/none", ""], folder), ["words"])
    expect("a file that is none", complete(["show", "--db", "/proc/self/mem", ""], folder), ["words"])


def real_server(folder: str) -> None:
    name = "complete_" + uuid.uuid4().hex[:10]
    subprocess.run(["psql", "-qX", "-d", "postgres", "-c", f"CREATE DATABASE {name}"], check=True)
    try:
        subprocess.run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-d", name, "-f", FIXTURES / "workspace_tasks.postgres.sql"],
                       check=True, stdout=subprocess.DEVNULL)
        place = f"dbname={name}"
        tasks = complete_patiently(["show", "--db", place, ""], folder)
        expect("tasks of a server", all("\t" in line for line in tasks[1:]) and len(tasks) > 5, True)
        workers = complete_patiently(["list-stuck", "--worker", ""], folder, DATABASE_URL=place)
        expect("workers by DATABASE_URL", len(workers) > 1, True)
        expect("a repair does not use DATABASE_URL", complete(["cancel", ""], folder, DATABASE_URL=place), ["words"])
        expect("no journal, no runs", complete(["undo", "--db", place, ""], folder), ["words"])
        left = subprocess.run(["psql", "-qXAt", "-d", name, "-c", "SELECT count(*) FROM pg_namespace WHERE nspname = 'taskctl'"],
                              check=True, capture_output=True, text=True).stdout.strip()
        expect("a journal was made", left, "0")
        subprocess.run([os.environ["TASKCTL"], "reconcile", "--db", place, "--certainty", "certain", "--limit", "1", "--yes", "--no-backup",
                        "--quiet"], check=True, capture_output=True, env=dict(os.environ, XDG_STATE_HOME="/nonexistent"))
        runs = complete_patiently(["history", "--db", place, "show", ""], folder)
        expect("runs of a server", [re.sub(r"^\S+\treconcile 20\S+Z$", "RUN", line) for line in runs], ["words", "RUN"])
    finally:
        subprocess.run(["psql", "-qX", "-d", "postgres", "-c", f"DROP DATABASE {name} WITH (FORCE)"], check=False)


def main() -> int:
    for scene in (deaf_server, held_file, nothing_there, real_server):
        with tempfile.TemporaryDirectory(prefix="taskctl-bounded-") as folder:
            scene(folder)
            if scene is not held_file:
                expect(f"{scene.__name__}: files left", os.listdir(folder), [])
    print("\n".join(problems) or "completion is bounded and silent")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
