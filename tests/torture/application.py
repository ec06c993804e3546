"""T9, T10: an application works on the same rows while taskctl repairs them; workers that come back between two steps."""
import multiprocessing
import os
import pathlib
import random
import signal
import sqlite3
import subprocess
import time

from campaign import Campaign, Options, Scenario, UNGUARDED, repair, subject_of
from oracle import Outcome
from subjects import Failure, require

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
            self.sqlite = sqlite3.connect(subject.path, timeout=5, isolation_level=None)
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

    def server(self) -> int:
        """The process that serves it; 0: itself."""
        if self.sqlite:
            return 0
        self.psql.stdin.write("SELECT pg_backend_pid();\n")
        self.psql.stdin.flush()
        return int(self.psql.stdout.readline())

    def close(self) -> None:
        if self.sqlite:
            self.sqlite.close()
        else:
            self.psql.stdin.close()
            self.psql.wait(timeout=10)
            self.psql.stdout.close()
            self.psql.stderr.close()


class Writer:
    """Writes to random tasks and keeps what it wrote last: that must be there afterwards."""

    def __init__(self, subject, tasks: int, rng: random.Random) -> None:
        self.session, self.tasks, self.rng, self.number = Session(subject), tasks, rng, 0
        self.last: dict = {}  # task → (what, token)

    def write(self) -> float | None:
        """How many seconds it took; None: the task it would have been has ended."""
        task = f"t{self.rng.randrange(self.tasks)}"
        if self.last.get(task, ("",))[0] in ("delete", "complete"):
            return None
        what, self.number = self.rng.choice(list(WRITES)), self.number + 1
        seconds = self.session.write(WRITES[what].format(task=task, token=f"token{self.number}"))
        self.last[task] = (what, f"token{self.number}")
        return seconds


def come_first(process: int) -> bool:
    """Whom taskctl keeps waiting is measured, not whom the scheduler does: on two processors every busy process costs others
    milliseconds. False: this user, or this kernel, may not."""
    try:
        pathlib.Path(f"/proc/{process}/autogroup").write_text("-20", encoding="ascii")
        os.setpriority(os.PRIO_PROCESS, process, -20)
        return True
    except OSError:
        return False


class Application:
    """A process of its own that writes 200 times a second if the machine can: what happens in this one must not slow it down."""

    def __init__(self, subject, tasks: int, rng: random.Random) -> None:
        context = multiprocessing.get_context("fork")
        self.subject, self.tasks, self.seed = subject, tasks, rng.random()
        self.done, (self.results, told) = context.Event(), context.Pipe(duplex=False)
        self.process = context.Process(target=self.work, args=(told,), daemon=True)
        self.last: dict = {}
        self.writes: list[tuple[float, float]] = []  # when it began (time.monotonic), how long it took
        self.error, self.first = "it has ended", False
        self.process.start()
        told.close()

    def work(self, told) -> None:
        writer = Writer(self.subject, self.tasks, random.Random(self.seed))
        try:
            os.setsid()  # the scheduler shares processors among sessions first
            self.first = come_first(os.getpid()) and come_first(writer.session.server() or os.getpid())
            while not self.done.is_set():
                began = time.monotonic()
                if (seconds := writer.write()) is not None:
                    self.writes.append((began, seconds))
                time.sleep(max(0.0, 0.005 - (time.monotonic() - began)))
            self.error = ""
        except Exception as error:  # a BUSY at 5 s would be a violation
            self.error = str(error)
        writer.session.close()
        told.send((self.writes, writer.last, self.error, self.first))

    def stop(self) -> None:
        self.done.set()
        try:
            require(self.results.poll(30), "the application does not stop")
            self.writes, self.last, self.error, self.first = self.results.recv()
        except EOFError:
            pass
        self.process.kill()
        self.process.join()


def slowest(values: list[float], share: float) -> float:
    """The value that this share of them is below."""
    return sorted(values)[int(len(values) * share)] if values else 0.0


def t9(options: Options):
    for mode in ("wal", "delete", "postgres"):
        with subject_of(mode) as subject:
            yield beside_application(options, subject, mode)


def beside_application(options: Options, subject, mode: str) -> Campaign:
    tasks, rng = options.scale(1500, 10_000), options.rng(f"T9 {mode}")
    subject.tasks(tasks)
    campaign = Campaign(f"T9 application beside it {subject.engine}/{mode}", options, 1)
    alone, beside, skipped = [], [], 0
    for _ in range(options.scale(1, 100)):
        subject.reset()
        application = Application(subject, tasks, rng)
        time.sleep(options.scale(1, 3))
        begin = time.monotonic()
        outcome = subject.run(*repair(subject.db), *UNGUARDED, timeout=300)
        end = time.monotonic()
        application.stop()
        during = [seconds for at, seconds in application.writes if begin <= at <= end]
        alone, beside = alone + [seconds for at, seconds in application.writes if at < begin], beside + during
        wrong, passed_by = lost_updates(subject, application.last, outcome)
        wrong += [f"T9 the application failed: {application.error}"] if application.error else []
        skipped += passed_by
        wrong += [] if len(during) >= 20 else [f"only {len(during)} writes: nothing was tested"]
        # Far above what it is, for a busy machine; batches of 100 ms that hold a fifth of the tasks are caught.
        if application.first and slowest(during, 0.95) > 3 * slowest(alone, 0.95) + 0.010:
            wrong.append(f"T9 a write in twenty takes {slowest(during, 0.95) * 1000:.1f} ms, alone {slowest(alone, 0.95) * 1000:.1f} ms")
        campaign.point(subject, "a run", wrong)
    p99_alone, p99_beside = slowest(alone, 0.99), slowest(beside, 0.99)
    campaign.note(f"{len(beside)} writes beside the runs, {skipped} tasks left to the application, p99 {p99_alone * 1000:.1f} ms alone, "
                  f"{p99_beside * 1000:.1f} ms beside ({p99_beside / max(p99_alone, 1e-6):.1f}x)"
                  + ("" if application.first else "; without the right to a priority of its own"))
    return campaign


def lost_updates(subject, last: dict, outcome) -> tuple[list[str], int]:
    wrong = []
    if outcome.code not in (0, 3):
        wrong.append(f"T9 exit {outcome.code}: {outcome.stderr[-300:]!r}")
    plain = (lambda cell: cell) if subject.engine == "postgres" else (lambda cell: cell[1].decode() if cell[0] == "text" else cell[1])
    rows = {plain(row["task_id"]): {c: plain(v) for c, v in row.items()} for row in subject.snapshot()["task_queue"].values()}
    entries = subject.journal()
    if len(entries) != len({(e.table, e.key) for e in entries}):
        wrong.append("T9 a row was changed twice")
    for task, (what, token) in last.items():
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
    worker = Writer(subject, 30, rng)
    with open(subject.folder.path / "out", "w+", encoding="utf-8") as out:
        process = subject.folder.start(*scenario.arguments(), stdout=out)
        while process.poll() is None and worker.number < 12:
            time.sleep(rng.uniform(0.002, 0.03))
            process.send_signal(signal.SIGSTOP)
            if not holds_a_lock(subject):
                worker.write()
            process.send_signal(signal.SIGCONT)
        _, err = process.communicate(timeout=60)
        out.seek(0)
        outcome = Outcome(process.returncode, out.read(), err)
    worker.session.close()
    subject.wait_until_idle()
    wrong, _ = lost_updates(subject, worker.last, outcome)
    return wrong, worker.number > 0


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
