"""T9, T10: an application works on the same rows while taskctl repairs them; workers that come back between two steps."""
import random
import signal
import sqlite3
import subprocess
import threading
import time

from campaign import Campaign, Options, Scenario, UNGUARDED, repair, subject_of
from oracle import Outcome
from subjects import Failure

WRITES = {
    "complete": "UPDATE task_queue SET status = 'success', data = '{token}' WHERE task_id = '{task}'",
    "heartbeat": "UPDATE task_queue SET updated_at = '2025-12-19 08:54:00', data = '{token}' WHERE task_id = '{task}'",
    "requeue": "UPDATE task_queue SET status = 'pending', started_at = NULL, completed_at = NULL, data = '{token}' WHERE task_id = '{task}'",
    "delete": "DELETE FROM task_queue WHERE task_id = '{task}'",
}
AFTERWARDS = {"complete": "success", "requeue": "pending"}


class Session:
    """A connection that stays open, on either engine; write() returns how many seconds it took."""

    def __init__(self, subject) -> None:
        self.subject, self.psql, self.sqlite = subject, None, None
        if subject.engine == "sqlite":
            self.sqlite = sqlite3.connect(subject.path, timeout=5, isolation_level=None, check_same_thread=False)
        else:
            self.psql = subprocess.Popen(["psql", "-qXAt", "-v", "ON_ERROR_STOP=1", "-d", subject.database.name], text=True, bufsize=1,
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def write(self, sql: str) -> float:
        started = time.monotonic()
        if self.sqlite:
            self.sqlite.execute(sql)
        else:
            self.psql.stdin.write(sql + ";\n\\echo done\n")
            self.psql.stdin.flush()
            if self.psql.stdout.readline() != "done\n":
                raise Failure(f"the application failed: {self.psql.stderr.readline()}")
        return time.monotonic() - started

    def close(self) -> None:
        if self.sqlite:
            self.sqlite.close()
        else:
            self.psql.stdin.close()
            self.psql.wait(timeout=10)
            self.psql.stdout.close()
            self.psql.stderr.close()


class Application(threading.Thread):
    """Writes to random tasks, 200 times a second if the machine can."""

    def __init__(self, subject, tasks: int, rng: random.Random) -> None:
        super().__init__(daemon=True)
        self.session, self.tasks, self.rng = Session(subject), tasks, rng
        self.last: dict = {}  # task → (what, token): the last write
        self.latencies: list[float] = []
        self.error, self.done = "", threading.Event()

    def run(self) -> None:
        number = 0
        try:
            while not self.done.is_set():
                began = time.monotonic()
                task = f"t{self.rng.randrange(self.tasks)}"
                if self.last.get(task, ("",))[0] not in ("delete", "complete"):
                    what, number = self.rng.choice(list(WRITES)), number + 1
                    self.latencies.append(self.session.write(WRITES[what].format(task=task, token=f"token{number}")))
                    self.last[task] = (what, f"token{number}")
                time.sleep(max(0.0, 0.005 - (time.monotonic() - began)))
        except Exception as error:  # a BUSY at 5 s would be a violation
            self.error = str(error)

    def stop(self) -> None:
        self.done.set()
        self.join()
        self.session.close()


def p99(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.99)] if values else 0.0


# Small batches with a pause after each: what an operator types who must not be noticed.
GENTLE = ["--batch-size", "5", "--sleep", "200ms"]


def t9(options: Options):
    for mode in ("wal", "delete", "postgres"):
        for how in ([], GENTLE):
            with subject_of(mode) as subject:
                yield beside_application(options, subject, mode, how)


def beside_application(options: Options, subject, mode: str, how: list[str]) -> Campaign:
    tasks, rng = options.scale(3000, 10_000), options.rng(f"T9 {mode} {how}")
    subject.tasks(tasks)
    campaign = Campaign(f"T9 application beside it{', gently' if how else ''} {subject.engine}/{mode}", options, 1)
    alone, beside, skipped = [], [], 0
    for _ in range(options.scale(1, 10 if how else 100)):
        subject.reset()
        application = Application(subject, tasks, rng)
        application.start()
        time.sleep(options.scale(1, 3))
        first = len(application.latencies)
        limit = ["--limit", str(options.scale(100, 1000))] if how else []
        outcome = subject.run(*repair(subject.db), *UNGUARDED, *how, *limit, timeout=300)
        time.sleep(0.3)
        application.stop()
        during = application.latencies[first:]
        alone, beside = alone + application.latencies[:first], beside + during
        wrong, passed_by = lost_updates(subject, application, outcome)
        skipped += passed_by
        campaign.point(subject, "a run", wrong + ([] if len(during) >= 20 else [f"only {len(during)} writes: nothing was tested"]))
    ratio = p99(beside) / max(p99(alone), 1e-6)
    campaign.note(f"{len(beside)} writes beside the runs, {skipped} tasks left to the application, p99 {p99(alone) * 1000:.1f} ms alone, "
                  f"{p99(beside) * 1000:.1f} ms beside ({ratio:.1f}x)")
    return campaign


def lost_updates(subject, application: Application, outcome) -> tuple[list[str], int]:
    wrong = [f"T9 the application failed: {application.error}"] if application.error else []
    if outcome.code not in (0, 3):
        wrong.append(f"T9 exit {outcome.code}: {outcome.stderr[-300:]!r}")
    plain = (lambda cell: cell) if subject.engine == "postgres" else (lambda cell: cell[1].decode() if cell[0] == "text" else cell[1])
    rows = {plain(row["task_id"]): {c: plain(v) for c, v in row.items()} for row in subject.snapshot()["task_queue"].values()}
    entries = subject.journal()
    if len(entries) != len({(e.table, e.key) for e in entries}):
        wrong.append("T9 a row was changed twice")
    for task, (what, token) in application.last.items():
        row = rows.get(task)
        if what == "delete":
            wrong += [f"T9 {task} was deleted and is there again"] if row else []
        elif row is None:
            wrong.append(f"T9 {task} is gone")
        elif row["data"] != token or row["status"] != AFTERWARDS.get(what, row["status"]):
            wrong.append(f"T9 {task}: {what} {token} was lost: {row['status']} {row['data']}")
    if "healthy" not in rows or rows["healthy"]["status"] != "running":
        wrong.append("T9 the healthy task was changed")
    result = (outcome.document or {}).get("result") or {}
    if result.get("applied") != len(entries):
        wrong.append(f"I7 it says {result.get('applied')}, the journal has {len(entries)}")
    return wrong[:10], result.get("moved_on", 0) + result.get("conflicts", 0)


def t10(options: Options):
    """The run is stopped at a random moment (SIGSTOP), a worker finishes, beats, re-claims or deletes a task, it goes on."""
    for mode in ("wal", "delete", "postgres"):
        with subject_of(mode) as subject:
            rng = options.rng("T10 " + mode)
            scenario = Scenario(subject, "reconcile", 30, 1)
            campaign = Campaign(f"T10 a worker comes back {subject.engine}/{mode}", options, 3)
            between = 0
            for _ in range(options.scale(4, 2000)):
                subject.reset()
                wrong, inside = interleaved(subject, scenario, rng)
                between += inside
                campaign.point(subject, "an interleaving", wrong)
            campaign.note(f"{between} with writes between two steps of the run")
            yield campaign


def interleaved(subject, scenario: Scenario, rng: random.Random) -> tuple[list[str], bool]:
    application = Application(subject, 30, rng)  # not started: its single writes are made here
    with open(subject.folder.path / "out", "w+", encoding="utf-8") as out:
        process = subject.folder.start(*scenario.arguments(), stdout=out)
        number = 0
        while process.poll() is None and number < 12:
            time.sleep(rng.uniform(0.002, 0.03))
            process.send_signal(signal.SIGSTOP)
            if not holds_a_lock(subject):
                task, what = f"t{rng.randrange(30)}", rng.choice(list(WRITES))
                if application.last.get(task, ("",))[0] not in ("delete", "complete"):
                    number += 1
                    application.session.write(WRITES[what].format(task=task, token=f"token{number}"))
                    application.last[task] = (what, f"token{number}")
            process.send_signal(signal.SIGCONT)
        _, err = process.communicate(timeout=60)
        out.seek(0)
        outcome = Outcome(process.returncode, out.read(), err)
    application.session.close()
    subject.wait_until_idle()
    wrong, _ = lost_updates(subject, application, outcome)
    return wrong, number > 0


def holds_a_lock(subject) -> bool:
    """Stopped inside a batch: the worker would wait for it, which is not what is tested."""
    if subject.engine == "sqlite":
        connection = sqlite3.connect(subject.path, timeout=0, isolation_level=None)
        try:
            connection.execute("BEGIN EXCLUSIVE" if subject.mode == "delete" else "BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
            return False
        except sqlite3.OperationalError:
            return True
        finally:
            connection.close()
    return subject.database.sql("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
                                "AND backend_xid IS NOT NULL") != "0"
