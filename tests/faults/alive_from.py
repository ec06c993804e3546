#!/usr/bin/env python3
"""--alive-from while a run goes on: the command fails, falls silent, floods, hangs, or learns better between two batches; signals
while it runs; an application that writes meanwhile; commands that use the database themselves."""
import contextlib
import re
import shlex
import signal
import sqlite3
import threading
import time

from harness import Folder, Postgres, main, repair, require, same, sqlite_rows

# Asked at the beginning, again before the first row is written, and whenever the answer is older than 5 s: so the third time in the
# pause after the first batch.
THIRD = 'echo x >> asked; if [ $(wc -l < asked) -lt 3 ]; then echo nobody; else '


def slow(db: str, command: str, *more: str) -> list[str]:
    """Three tasks, a batch each, and a pause in which the command is asked for the third time."""
    return repair(db, "--no-backup", "--batch-size", "1", "--sleep", "7s", "--alive-from", command, *more)


def done_in(db: str) -> list[str]:
    return [row[0] for row in sqlite_rows(db, "SELECT task_id FROM task_queue WHERE status = 'failed' ORDER BY id")]


def in_journal(db: str) -> list:
    return sqlite_rows(db, "SELECT state, applied FROM taskctl_runs")


def wait_for(file, lines: int) -> None:
    for _ in range(1500):
        with contextlib.suppress(FileNotFoundError):
            if file.read_text(encoding="utf-8").count("\n") >= lines:
                return
        time.sleep(0.02)
    require(False, f"{file.name} has not {lines} lines")


def together(cases: dict) -> None:
    """Every case waits for seconds: side by side. The first failure of each is told."""
    failures = []

    def run(name: str, case) -> None:
        try:
            case()
        except Exception as error:  # pylint: disable=broad-except
            failures.append(f"{name}: {error}")

    threads = [threading.Thread(target=run, args=item) for item in cases.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    require(not failures, "; ".join(failures))


def goes_dark(command: str, reason: str) -> None:
    """Nothing more is done; what was done is durable, in the journal, and can be gone on with by the command alone."""
    with Folder() as folder:
        db = folder.sqlite_tasks(3)
        result = folder.taskctl(*slow(db, THIRD + command + "; fi"))
        same(result.returncode, 12, f"exit ({result.stderr})")
        require("--alive-from does not tell who is alive: " + reason in result.stdout, f"the reason: {result.stdout}")
        require("applied 1," in result.stdout, f"the counts: {result.stdout}")
        require("2 tasks not tried" in result.stdout, f"what is left: {result.stdout}")
        same(done_in(db), ["t0"], "done")
        same(in_journal(db), [("stopped", 1)], "the journal")
        run = sqlite_rows(db, "SELECT id FROM taskctl_runs")[0][0]
        refused = folder.taskctl("resume", run, "--db", db, "--yes", "--no-backup")
        same(refused.returncode, 5, f"resume ({refused.stderr})")
        require("no command is taken from a journal" in refused.stderr, f"resume: {refused.stderr}")
        same(done_in(db), ["t0"], "done after the refusal")
        again = folder.taskctl(*repair(db, "--no-backup", "--alive-from", "echo nobody"))
        same(again.returncode, 0, f"once more ({again.stderr})")
        same(done_in(db), ["t0", "t1", "t2"], "done in the end")


def learns_better() -> None:
    with Folder() as folder:
        db = folder.sqlite_tasks(3)
        result = folder.taskctl(*slow(db, THIRD + "echo t1; fi"))
        same(result.returncode, 0, f"exit ({result.stderr})")
        require("applied 2, moved on 1" in result.stdout, f"the counts: {result.stdout}")
        same(done_in(db), ["t0", "t2"], "done")


def is_stopped_while_it_asks() -> None:
    with Folder() as folder:
        db = folder.sqlite_tasks(3)
        run = folder.start(*slow(db, THIRD + "echo y >> asked; sleep 60; fi", "--quiet"))
        wait_for(folder.path / "asked", 4)
        begun = time.monotonic()
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=30)
        same(run.returncode, 130, f"exit ({err})")
        require(time.monotonic() - begun < 10, "the command should be ended with us")
        require("applied 1," in out, f"the counts: {out}")
        same(done_in(db), ["t0"], "done")
        same(in_journal(db), [("stopped", 1)], "the journal")


def the_application_ends_a_task() -> None:
    with Folder() as folder:
        db = folder.sqlite_tasks(3)
        run = folder.start(*slow(db, "echo x >> asked; echo nobody", "--quiet"))
        wait_for(folder.path / "asked", 3)
        with contextlib.closing(sqlite3.connect(db, timeout=10)) as application:
            application.execute("UPDATE task_queue SET status = 'success', completed_at = '2025-12-19T16:54:00.000000' "
                                "WHERE task_id = 't1'")
            application.commit()
        out, err = run.communicate(timeout=60)
        same(run.returncode, 0, f"exit ({out}{err})")
        same(done_in(db), ["t0", "t2"], "done")
        same(sqlite_rows(db, "SELECT status FROM task_queue WHERE task_id = 't1'"), [("success",)], "what the application wrote")


def asks_by_writing(db: str, write: str, folder: Folder) -> None:
    """It would wait in vain, and fail, if we held a lock while it runs."""
    result = folder.taskctl(*slow(db, write + " && echo nobody"))
    same(result.returncode, 0, f"exit ({result.stderr})")
    require("applied 3," in result.stdout, f"the counts: {result.stdout}")


def asks_by_writing_to_sqlite(journal_mode: str) -> None:
    with Folder() as folder:
        db = folder.sqlite_tasks(3, journal_mode)
        with contextlib.closing(sqlite3.connect(db)) as made:
            made.execute("CREATE TABLE asked (at text)")
        asks_by_writing(db, f"sqlite3 {shlex.quote(db)} \"UPDATE task_queue SET priority = priority; INSERT INTO asked "
                            "VALUES (datetime('now'))\"", folder)
        require(sqlite_rows(db, "SELECT count(*) FROM asked")[0][0] >= 3, "it should be asked between the batches")


def asks_by_writing_to_postgres() -> None:
    with Folder() as folder, Postgres() as server:
        server.tasks(3)
        server.sql("CREATE TABLE asked (at timestamptz)")
        asks_by_writing(server.db, f"psql -qX -d {server.name} -c \"SET lock_timeout = 1000\" -c \"LOCK TABLE task_queue; INSERT "
                                   "INTO asked VALUES (now())\"", folder)
        require(int(server.sql("SELECT count(*) FROM asked")) >= 3, "it should be asked between the batches")


def between_batches() -> None:
    together({
        "fails": lambda: goes_dark("echo cluster is down >&2; exit 3", "it ended with 3: cluster is down"),
        "names nobody": lambda: goes_dark("true", "it names nobody"),
        "floods": lambda: goes_dark("yes worker | head -c 3000000", "its answer is longer than 1 MiB"),
        "leaves a child": lambda: goes_dark("sleep 60 & echo nobody", "it ended and left its output open"),
        "is killed": lambda: goes_dark("kill -9 $$", "it ended with 137"),
        "learns better": learns_better,
        "is stopped": is_stopped_while_it_asks,
        "the application ends a task": the_application_ends_a_task,
        "writes to SQLite": lambda: asks_by_writing_to_sqlite("delete"),
        "writes to SQLite, WAL": lambda: asks_by_writing_to_sqlite("wal"),
        "writes to PostgreSQL": asks_by_writing_to_postgres,
    })


def stopped_at_the_first_question() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        with Folder() as folder:
            db = folder.sqlite_tasks(3)
            run = folder.start(*repair(db, "--no-backup", "--alive-from", "echo x >> asked; echo nobody; sleep 60"))
            wait_for(folder.path / "asked", 1)
            begun = time.monotonic()
            run.send_signal(number)
            out, err = run.communicate(timeout=30)
            same(run.returncode, 128 + number, f"exit ({out}{err})")
            require(time.monotonic() - begun < 10, "the command should be ended with us")
            same(done_in(db), [], "done")
            same(sqlite_rows(db, "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'taskctl%'"), [(0,)], "a journal")


def a_child_that_holds_the_pipe() -> None:
    with Folder() as folder:
        db = folder.sqlite_tasks(3)
        for command in ("reconcile", "list-stuck"):
            more = ["--yes", "--no-backup", "--max-age", "1"] if command == "reconcile" else []
            begun = time.monotonic()
            result = folder.taskctl(command, "--db", db, "--now", "2025-12-19T16:54:56+08:00", *more, "--alive-from",
                                    "sleep 60 & echo nobody")
            require(time.monotonic() - begun < 20, "nobody waits for what a command leaves behind")
            same(result.returncode, 5 if command == "reconcile" else 0, f"{command} ({result.stderr})")
            require("it ended and left its output open" in result.stderr, f"{command}: {result.stderr}")
        same(done_in(db), [], "done")
        # One that gives the pipe back is no business of ours.
        quiet = folder.taskctl(*repair(db, "--no-backup", "--alive-from", "sleep 3 >/dev/null 2>&1 & echo nobody"))
        same(quiet.returncode, 0, f"a quiet child ({quiet.stderr})")
        same(done_in(db), ["t0", "t1", "t2"], "done in the end")


def an_application_that_never_rests() -> None:
    """Another writer's rows, and those of tasks that it ends itself, while many batches are written."""
    with Folder() as folder:
        db = folder.sqlite_tasks(600, "wal")
        ended, over = [], threading.Event()

        def work() -> None:
            with contextlib.closing(sqlite3.connect(db, timeout=30)) as application:
                number = 599
                while not over.is_set() and number > 0:
                    application.execute("UPDATE task_queue SET priority = priority + 1 WHERE task_id = 'healthy'")
                    changed = application.execute("UPDATE task_queue SET status = 'success' WHERE task_id = ? AND status = "
                                                  "'running'", (f"t{number}",)).rowcount
                    application.commit()
                    if changed:
                        ended.append(f"t{number}")
                    number -= 1

        worker = threading.Thread(target=work)
        worker.start()
        try:
            result = folder.taskctl(*repair(db, "--no-backup", "--batch-size", "10", "--sleep", "20ms", "--alive-from",
                                            "echo t5; echo t6"), timeout=120)
        finally:
            over.set()
            worker.join()
        same(result.returncode, 0, f"exit ({result.stderr})")
        rows = dict(sqlite_rows(db, "SELECT task_id, status FROM task_queue"))
        same({name for name, status in rows.items() if status == "success"}, set(ended), "what the application ended")
        same({name for name, status in rows.items() if status == "running"}, {"healthy", "t5", "t6"} - set(ended), "running")
        counts = re.search(r"applied (\d+), moved on (\d+)", result.stdout)
        require(counts is not None, f"no counts: {result.stdout}")
        same(int(counts[1]), sum(status == "failed" for status in rows.values()), "applied")


main([between_batches, stopped_at_the_first_question, a_child_that_holds_the_pipe, an_application_that_never_rests])
