#!/usr/bin/env python3
"""Signals, kills, closed and slow pipes, full disks, two runs at once, an application that writes meanwhile."""
import os
import random
import resource
import signal
import sqlite3
import subprocess
import threading
import time

from harness import NOW, Failure, Folder, Postgres, main, parse_json, repair, require, same, sqlite_rows

# A failure is repeated with TASKCTL_TEST_SEED.
SEED = int(os.environ.get("TASKCTL_TEST_SEED") or random.randrange(1_000_000))
random.seed(SEED)
print(f"seed {SEED}")


def consistent(db: str, total: int) -> int:
    """Journal and rows agree, nothing else changed; returns how many tasks were repaired."""
    same(sqlite_rows(db, "PRAGMA integrity_check"), [("ok",)], "integrity")
    failed = sqlite_rows(db, "SELECT count(*) FROM task_queue WHERE status = 'failed'")[0][0]
    running = sqlite_rows(db, "SELECT count(*) FROM task_queue WHERE status = 'running'")[0][0]
    same(failed + running, total + 1, "rows")
    tables = [name for (name,) in sqlite_rows(db, "SELECT name FROM sqlite_master WHERE name = 'taskctl_changes'")]
    journalled = sqlite_rows(db, "SELECT count(*) FROM taskctl_changes")[0][0] if tables else 0
    same(journalled, failed, "journal entries")
    same(sqlite_rows(db, "SELECT status FROM task_queue WHERE task_id = 'healthy'"), [("running",)], "the healthy task")
    return failed


def wait_for_changes(db: str, process: subprocess.Popen, wanted: int) -> None:
    for _ in range(2000):
        if process.poll() is not None:
            return
        try:
            if sqlite_rows(db, "SELECT count(*) FROM taskctl_changes")[0][0] >= wanted:
                return
        except sqlite3.OperationalError:
            pass
        time.sleep(0.005)
    raise Failure("the run did not get anywhere")


def interrupt_stops_after_the_batch() -> None:
    with Folder() as folder:
        db = folder.sqlite_tasks(20000)
        run = folder.start(*repair(db, "--no-backup", "--quiet", "--batch-size", "20"))
        wait_for_changes(db, run, 20)
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=30)
        same(run.returncode, 130, f"exit ({err})")
        done = consistent(db, 20000)
        require(0 < done < 20000, f"{done} tasks were repaired: the signal should stop it half-way")
        require(f"applied {done}," in out, f"the summary should tell the truth: {out[-300:]}")
        same(sqlite_rows(db, "SELECT state FROM taskctl_runs"), [("stopped",)], "state of the run")
        again = folder.taskctl(*repair(db, "--no-backup"), timeout=120)
        same(again.returncode, 0, f"the next run goes on ({again.stderr})")
        same(consistent(db, 20000), 20000, "repaired in the end")


def first_signal_ends_planning() -> None:
    with Folder() as folder:
        db = folder.sqlite_tasks(60000)
        for arguments in (repair(db, "--no-backup"), ["list-stuck", "--db", db, "--now", NOW]):
            with open(folder.path / "out", "w", encoding="utf-8") as out:
                run = folder.start(*arguments, stdout=out)
                time.sleep(0.25)
                require(run.poll() is None, "it ended before the signal")
                started = time.monotonic()
                run.send_signal(signal.SIGINT)
                _, err = run.communicate(timeout=60)
            same(run.returncode, 130, f"exit ({err})")
            require(time.monotonic() - started < 5, "reading should end at once")
        same(consistent(db, 60000), 0, "repaired")


def second_signal_leaves_the_summary() -> None:
    with Folder() as folder, Postgres() as server:
        server.tasks(300)
        server.sql("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.task_id = 't150' THEN "
                   "PERFORM pg_sleep(30); END IF; RETURN NEW; END $$;"
                   "CREATE TRIGGER slow BEFORE UPDATE ON task_queue FOR EACH ROW EXECUTE FUNCTION slow()")
        run = folder.start(*repair(server.db, "--no-backup", "--batch-size", "50", "--quiet"))
        for _ in range(500):
            if server.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") != "0":
                break
            time.sleep(0.02)
        run.send_signal(signal.SIGINT)
        time.sleep(0.3)
        require(run.poll() is None, "the first signal should let the batch end")
        started = time.monotonic()
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=30)
        same(run.returncode, 130, f"exit ({err})")
        require(time.monotonic() - started < 5, "the second signal should end the statement")
        require("applied 150," in out and "taskctl undo " in out, f"what was done is still told: {out!r}")
        same(server.sql("SELECT count(*) FROM task_queue WHERE status = 'failed'"), "150", "repaired")
        same(server.sql("SELECT state FROM taskctl.taskctl_runs"), "stopped", "state of the run")


def killed_run_is_a_prefix_and_can_be_undone() -> None:
    with Folder() as folder:
        db = folder.sqlite_tasks(3000, random.choice(["wal", "delete"]))
        original = sqlite_rows(db, "SELECT * FROM task_queue ORDER BY id")
        run = folder.start(*repair(db, "--no-backup", "--quiet", "--batch-size", "50"))
        wait_for_changes(db, run, random.choice([50, 300, 900]))
        run.kill()
        out, err = run.communicate(timeout=30)
        same(run.returncode, -signal.SIGKILL, f"the run ended before it was killed ({out}{err})")
        done = consistent(db, 3000)
        require(done < 3000, "the run ended before it was killed: nothing was tested")
        require(done % 50 == 0, f"{done} is not a number of whole batches")
        undone = folder.taskctl("undo", "--last", "--db", db, "--yes", "--no-backup", "--max-changes", "100000")
        same(undone.returncode, 0, f"undo ({undone.stderr})")
        same(sqlite_rows(db, "SELECT * FROM task_queue ORDER BY id"), original, "rows after the undo")


def application_comes_and_goes() -> None:
    """Every query of a WAL application on a connection of its own: the -wal and -shm appear and vanish all the time."""
    with Folder() as folder:
        db = folder.sqlite_tasks(3000, "wal")
        over = threading.Event()

        def application() -> None:
            while not over.is_set():
                sqlite_rows(db, "SELECT count(*) FROM task_queue")

        thread = threading.Thread(target=application)
        thread.start()
        try:
            for _ in range(5):
                listed = folder.taskctl("list-stuck", "--db", db, "--now", NOW, "--max-age", "1", "--output",
                                        "ids")
                same(listed.returncode, 0, f"list-stuck ({listed.stderr})")
                same(len(listed.stdout.splitlines()), 3000, "listed")
                planned = folder.taskctl(*repair(db, "--quiet"), "--dry-run")
                same(planned.returncode, 0, f"dry run ({planned.stderr})")
            run = folder.taskctl(*repair(db, "--no-backup", "--quiet"))
            same(run.returncode, 0, f"reconcile ({run.stderr})")
        finally:
            over.set()
            thread.join()
        same(consistent(db, 3000), 3000, "repaired")


def reader_goes_away() -> None:
    with Folder() as folder:
        db = folder.sqlite_tasks(3000)
        read_end, write_end = os.pipe()
        os.close(read_end)
        run = folder.start(*repair(db, "--no-backup"), stdout=write_end)
        os.close(write_end)
        _, err = run.communicate(timeout=60)
        require(run.returncode in (0, 3), f"exit {run.returncode}: {err}")
        same(consistent(db, 3000), 3000, "the run is finished although nobody reads its story")


def two_runs_at_once() -> None:
    with Folder() as folder:
        db = folder.sqlite_tasks(20000)
        first = folder.start(*repair(db, "--no-backup", "--quiet", "--batch-size", "20"))
        wait_for_changes(db, first, 20)
        second = folder.taskctl(*repair(db, "--no-backup"))
        same(second.returncode, 6, f"exit of the second ({second.stderr})")
        require(f"pid {first.pid}" in second.stderr, f"it should name the holder {first.pid}: {second.stderr}")
        first.kill()
        first.communicate(timeout=30)
        # What a kill in the middle of a commit leaves is the application's to clear up: opening the file as its owner does.
        sqlite_rows(db, "SELECT count(*) FROM task_queue")
        third = folder.taskctl(*repair(db, "--no-backup"), timeout=120)
        same(third.returncode, 0, f"a killed holder blocks nobody ({third.stderr})")


def two_runs_at_once_postgres() -> None:
    with Folder() as folder, Postgres() as server:
        server.tasks(3000)
        first = folder.start(*repair(server.db, "--no-backup", "--quiet", "--batch-size", "10"))
        for _ in range(400):
            locks = server.sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted")
            if locks != "0" or first.poll() is not None:
                break
            time.sleep(0.01)
        second = folder.taskctl(*repair(server.db, "--no-backup"))
        same(second.returncode, 6, f"exit of the second ({second.stderr})")
        require(str(first.pid) in second.stderr, f"it should name the holder: {second.stderr}")
        first.kill()
        first.communicate(timeout=30)
        third = folder.taskctl(*repair(server.db, "--no-backup", "--lock-wait", "20s"), timeout=120)
        same(third.returncode, 0, f"a killed holder blocks nobody ({third.stderr})")
        same(server.sql("SELECT status FROM task_queue WHERE task_id = 'healthy'"), "running", "the healthy task")
        same(server.sql("SELECT count(*) FROM task_queue WHERE status = 'failed'"), "3000", "repaired")
        same(server.sql("SELECT count(*) FROM taskctl.taskctl_changes"), "3000", "journal entries")


def locked_database_is_waited_for_and_then_left() -> None:
    with Folder() as folder:
        db = folder.sqlite_tasks(5)
        application = sqlite3.connect(db, isolation_level=None)
        application.execute("BEGIN IMMEDIATE")
        started = time.monotonic()
        result = folder.taskctl(*repair(db, "--no-backup"), timeout=120)
        same(result.returncode, 6, f"exit ({result.stderr})")
        require(time.monotonic() - started < 15, "the default --lock-timeout is 5 s")
        application.execute("ROLLBACK")
        application.close()
        same(sqlite_rows(db, "SELECT count(*) FROM task_queue WHERE status = 'running'"), [(6,)], "running rows")


def full_disk_during_backup() -> None:
    with Folder() as folder:
        db = folder.sqlite_tasks(3000)
        size = os.stat(db).st_size

        def limit() -> None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, size // 2))

        result = folder.taskctl(*repair(db), preexec_fn=limit)
        same(result.returncode, 7, f"exit ({result.stderr})")
        same(consistent(db, 3000), 0, "repaired without a backup")
        same([p.name for p in folder.path.iterdir() if "backup" in p.name], [], "half a backup")


def application_writes_meanwhile() -> None:
    with Folder() as folder:
        total = 4000
        db = folder.sqlite_tasks(total, "wal")
        stop = threading.Event()
        finished: list[str] = []
        errors: list[str] = []

        def application() -> None:
            connection = sqlite3.connect(db, timeout=5, isolation_level=None)
            rng = random.Random(7)
            while not stop.is_set():
                task = f"t{rng.randrange(total)}"
                try:
                    cursor = connection.execute("UPDATE task_queue SET status = 'success', result = 'done' "
                                                "WHERE task_id = ? AND status = 'running'", (task,))
                    if cursor.rowcount == 1:
                        finished.append(task)
                except sqlite3.OperationalError as error:
                    errors.append(str(error))
                time.sleep(0.002)
            connection.close()

        worker = threading.Thread(target=application)
        worker.start()
        result = folder.taskctl(*repair(db, "--no-backup", "--batch-size", "50", "--output", "json"), timeout=120)
        stop.set()
        worker.join()
        require(result.returncode in (0, 3), f"exit {result.returncode} ({result.stderr})")
        same(errors, [], "errors of the application")
        lost = [t for t in finished if sqlite_rows(db, f"SELECT status FROM task_queue WHERE task_id = '{t}'") != [("success",)]]
        same(lost, [], "updates of the application that were lost")
        require(bool(finished), "the application should have finished some tasks meanwhile")
        document = parse_json(result)
        applied = document["result"]["applied"]
        same(sqlite_rows(db, "SELECT count(*) FROM task_queue WHERE status = 'failed'"), [(applied,)], "applied as told")


def wrong_password_and_no_server() -> None:
    with Folder() as folder, Postgres() as server:
        folder.env["PGPASSWORD"] = "wrong"
        result = folder.taskctl("list-stuck", "--db", server.db, "--now", NOW)
        same(result.returncode, 10, f"wrong password ({result.stderr})")
        require("wrong" not in result.stderr.replace("wrong password", ""), "the password must not be printed")
        started = time.monotonic()
        refused = folder.taskctl("list-stuck", "--db", "postgresql://127.0.0.1:1/none", "--now", NOW)
        same(refused.returncode, 8, f"no server ({refused.stderr})")
        require(time.monotonic() - started < 20, "the wait must be bounded")


main([interrupt_stops_after_the_batch, first_signal_ends_planning, second_signal_leaves_the_summary,
      killed_run_is_a_prefix_and_can_be_undone, application_comes_and_goes, reader_goes_away, two_runs_at_once,
      two_runs_at_once_postgres, locked_database_is_waited_for_and_then_left, full_disk_during_backup,
      application_writes_meanwhile, wrong_password_and_no_server])
