"""T16, T20: the locks of a SQLite file, which POSIX drops when any descriptor of it is closed, and its modes."""
import collections
import itertools
import os
import pathlib
import re
import signal
import sqlite3
import subprocess
import time

from campaign import NOW, Campaign, Options, Scenario, UNGUARDED, repair, require, subject_of
from iofaults import calls_on_files, on_files
from kills_beside import stopped_run
from oracle import Outcome, differences
from subjects import TASKCTL

# SQLite's lock bytes (os.h: PENDING_BYTE and those after it).
PENDING, RESERVED, SHARED = 0x40000000, 0x40000001, 0x40000002
NOBODY = 65534


def t16(options: Options):
    for mode in ("delete", "wal"):
        yield closes(options, mode)
    yield second_writer(options)


def commands_of(subject, copies: pathlib.Path) -> dict:
    """What opens the file and writes; the run to be undone and resumed are there already."""
    db, backup = subject.db, ["--backup-dir", str(copies)]
    run = subject.run(*repair(db), "--limit", "3", *UNGUARDED)
    require(run.code == 0, f"a run to be undone: {run}")
    first, second = run.document["result"]["run"], stopped_run(subject, "stop file", 4)
    subject.save()
    return {"reconcile": [*repair(db), "--yes", "--batch-size", "2", *backup], "undo": ["undo", first, "--db", db, "--yes", *backup],
            "cancel": ["cancel", "t8", "t9", "--force", "--db", db, "--yes", *backup], "resume": ["resume", second, "--db", db, "--yes", *backup],
            "plan": ["reconcile", "--db", db, "--plan", "saved.plan", "--yes", *backup], "prune": ["history", "prune", "--db", db, "--older-than", "1ms", "--yes"],
            "guard install": ["guard", "install", "--db", db, "--yes"], "strict": [*repair(db), "--yes", "--strict", *backup],
            "backup": ["backup", "--db", db, "--backup-dir", str(copies), "--verify", "restore"]}


def closes(options: Options, mode: str) -> Campaign:
    """No descriptor of the file is closed while the process has a lock on it, not even a shared one."""
    with subject_of(mode) as subject:
        subject.tasks(12)
        campaign = Campaign(f"T16 locks kept sqlite/{mode}", options, 9)
        commands, seen = commands_of(subject, subject.folder.path / "copies"), collections.Counter()
        for _ in range(options.scale(1, 12)):
            for name, arguments in commands.items():
                subject.reset()
                if name == "plan":  # made for this very file
                    (subject.folder.path / "saved.plan").unlink(missing_ok=True)
                    require(subject.run(*repair(subject.db), "--save-plan", "saved.plan").code == 0, "a saved plan")
                log = subject.folder.path / "calls"
                outcome = subject.under_strace([], *arguments, log=str(log), trace="openat,close,fcntl,clone,clone3,fork,vfork,dup,dup2,dup3", more=["-y"])
                wrong = [] if outcome.code == 0 else [f"T16 {name} ends with {outcome.code}: {outcome.stderr[-300:]!r}"]
                wrong += lost_locks(log.read_text(encoding="utf-8", errors="replace"), str(subject.path), seen)
                campaign.point(subject, name, wrong)
        require(seen["closed"] > 0 and seen["reserved" if mode == "delete" else "shared"] > 0, f"no lock was seen: {seen}")
        campaign.note(", ".join(f"{n} {what}" for what, n in sorted(seen.items())))
        return campaign


def lost_locks(trace: str, path: str, seen: collections.Counter) -> list[str]:
    place = re.escape(f"<{path}>")
    lock = re.compile(rf"fcntl\(\d+{place}, F_SETLKW?, \{{l_type=F_(\w+), l_whence=SEEK_SET, l_start=(\d+), l_len=(\d+)\}}\) = 0")
    close = re.compile(rf"close\(\d+{place}\)")
    held: dict = {}  # byte → how
    wrong = []
    for line in trace.splitlines():
        if match := lock.search(line):
            kind, start, length = match[1], int(match[2]), int(match[3])
            for byte in (PENDING, RESERVED, SHARED):
                if start <= byte and (length == 0 or byte < start + length) or byte == SHARED and start >= SHARED:
                    held[byte] = kind
            seen["reserved"] += start == RESERVED and kind == "WRLCK"
            seen["shared"] += start == SHARED and kind == "RDLCK"
            held = {byte: how for byte, how in held.items() if how != "UNLCK"}
        elif close.search(line):
            seen["closed"] += 1
            if held:
                wrong.append(f"T16 closed with locks {({hex(b): k for b, k in held.items()})}: {line}")
                held = {}
        elif re.search(r"\b(v?fork|dup[23]?)\(", line) and path in line:
            wrong.append(f"T16 {line}")
    return wrong[:5]


def second_writer(options: Options) -> Campaign:
    """Stopped at a write to the database or its journal, the run has its lock: another writer does not get in."""
    with subject_of("delete") as subject:
        scenario = Scenario(subject, "reconcile", 8, 2)
        campaign = Campaign("T16 a second writer sqlite/delete", options, 10)
        arguments = [a for a in scenario.arguments() if a != "--no-backup"]
        counts = calls_on_files(subject, scenario, ["pwrite64", "fdatasync"])
        points = [(call, n) for call in ("pwrite64", "fdatasync") for n in range(1, counts[call] + 1)]
        stopped = 0
        for call, n in points if options.long else options.rng("T16").sample(points, min(14, len(points))):
            subject.reset()
            outcome, entered = stopped_at(subject, call, n, arguments)
            stopped += entered is not None
            wrong = ["T16 a second writer got the lock of a run that is writing"] if entered else []
            campaign.point(subject, f"{call} number {n}", wrong + scenario.settle(outcome))
        require(stopped >= 0.8 * campaign.points, f"only {stopped} of {campaign.points} runs were stopped")
        campaign.note(f"of {len(points)}, {stopped} stopped")
        return campaign


def stopped_at(subject, call: str, n: int, arguments: list[str]) -> tuple[Outcome, bool | None]:
    """Whether another connection could begin to write; None when the run ended first."""
    log = subject.folder.path / "calls"
    log.unlink(missing_ok=True)
    command = ["strace", "-f", "-qq", "-o", str(log), "-e", f"trace={call}", "-e", f"inject={call}:signal=STOP:when={n}", *on_files(subject)]
    with open(subject.folder.path / "out", "w+", encoding="utf-8") as out:
        tracer = subprocess.Popen([*command, TASKCTL, *arguments], env=subject.folder.env, cwd=subject.folder.path, stdout=out, stderr=subprocess.PIPE, text=True)
        entered = None
        while tracer.poll() is None and entered is None:
            stopped = re.search(r"^(\d+) +--- stopped by SIGSTOP", log.read_text(encoding="utf-8", errors="replace") if log.exists() else "", re.M)
            if stopped:
                entered = gets_in(subject)
                os.kill(int(stopped[1]), signal.SIGCONT)
            time.sleep(0.005)
        _, err = tracer.communicate(timeout=60)
        out.seek(0)
        return Outcome(tracer.returncode, out.read(), err), entered


def gets_in(subject) -> bool:
    connection = sqlite3.connect(subject.path, timeout=0, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
        return True
    except sqlite3.OperationalError as error:
        require("locked" in str(error), f"the second writer: {error}")
        return False
    finally:
        connection.close()


MODES = ("delete", "truncate", "persist", "wal")
PAGES = (512, 1024, 2048, 4096, 8192, 16384, 32768, 65536)
APPLICATIONS = ("away", "open", "exclusive")


def t20(options: Options):
    yield modes(options)
    yield shared_memory(options)


def rebuilt(subject, mode: str, page: int) -> None:
    """The database in another mode, with another page size, and what the application leaves beside it in that mode."""
    subject.reset()
    connection = sqlite3.connect(subject.path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=delete")
    connection.execute(f"PRAGMA page_size={page}")
    connection.execute("VACUUM")
    require(connection.execute(f"PRAGMA journal_mode={mode}").fetchone()[0] == mode, f"journal_mode={mode}")
    connection.execute("UPDATE task_queue SET priority = 6 WHERE task_id = 'healthy'")
    require(connection.execute("PRAGMA page_size").fetchone()[0] == page, f"page_size={page}")
    connection.close()


def modes(options: Options) -> Campaign:
    """Whatever mode, page size and application: a repair as planned, or code 6 and its reason; the mode stays."""
    with subject_of("delete") as subject:
        subject.tasks(6)
        campaign = Campaign("T20 modes sqlite", options, 24)
        points = list(itertools.product(MODES, PAGES, APPLICATIONS))
        rng, codes = options.rng("T20"), collections.Counter()
        if not options.long:  # every pair of mode and application, every page size
            points = [(m, rng.choice(PAGES), a) for m in MODES for a in APPLICATIONS] + [(rng.choice(MODES), page, "open") for page in PAGES] + \
                     rng.sample(points, 6)
        for mode, page, who in points:
            rebuilt(subject, mode, page)
            wrong = in_mode(subject, mode, page, who, codes)
            campaign.point(subject, f"{mode}, pages of {page} bytes, application {who}", wrong)
        campaign.note("exits " + " ".join(f"{c}:{n}" for c, n in sorted(codes.items())))
        return campaign


def in_mode(subject, mode: str, page: int, who: str, codes: collections.Counter) -> list[str]:
    before, application = subject.snapshot(), None
    plan = subject.plan(*repair(subject.db))
    if who != "away":
        application = sqlite3.connect(subject.path, isolation_level=None, timeout=5)
        application.execute(f"PRAGMA locking_mode={'EXCLUSIVE' if who == 'exclusive' else 'NORMAL'}")
        application.execute(f"PRAGMA journal_mode={mode}")
        application.execute("UPDATE task_queue SET priority = 7 WHERE task_id = 'healthy'")
        before["task_queue"] = {k: dict(r, priority=("integer", 7)) if r["task_id"] == ("text", b"healthy") else r for k, r in before["task_queue"].items()}
    code = 6 if who == "exclusive" else 0
    wrong = []
    for arguments in (["list-stuck", "--db", subject.db, "--now", NOW, "--lock-timeout", "200ms"],
                      [*repair(subject.db), "--yes", "--lock-timeout", "200ms", "--backup-dir", str(subject.folder.path / "copies")]):
        outcome = subject.run(*arguments)
        codes[outcome.code] += 1
        if outcome.code != code or code and "lock" not in outcome.stderr:
            wrong.append(f"T20 {arguments[0]} ends with {outcome.code}: {outcome.stderr[-300:]!r}")
    if application:
        application.execute("UPDATE task_queue SET priority = priority WHERE task_id = 'healthy'")
        require(application.execute("PRAGMA journal_mode").fetchone()[0] == mode, "the application's own mode")
        application.close()
    wrong += [f"T20 {d}" for d in differences(before if code else plan.applied_to(before), subject.snapshot())]
    header = subject.path.read_bytes()[:100]
    if (header[18:20] == b"\2\2") != (mode == "wal") or (int.from_bytes(header[16:18], "big") or 1) % 65536 != (page if page < 65536 else 1):
        wrong.append(f"T20 the mode or the page size is another: {header[16:20]!r}")
    return wrong


def shared_memory(options: Options) -> Campaign:
    """WAL, as another user who may not write -shm: reading works or says why, writing is refused, and no file is left or changes its owner."""
    with subject_of("wal") as subject:
        subject.tasks(6)
        os.chmod(subject.folder.path, 0o755)
        campaign = Campaign("T20 -shm of another user sqlite/wal", options, 24)
        codes: collections.Counter = collections.Counter()
        for who, folder, db, shm in itertools.product(("away", "open", "killed"), (0o755, 0o777), (0o644, 0o666), (0o644, 0o600)):
            subject.reset()
            with Application(subject, who) as application:
                os.chmod(subject.path, db)
                for suffix in ("-wal", "-shm"):
                    if (path := pathlib.Path(subject.db + suffix)).exists():
                        os.chmod(path, shm)
                os.chmod(subject.folder.path, folder)
                wrong = as_nobody(subject, codes, db == 0o666)
                os.chmod(subject.folder.path, 0o755)
                wrong += application.still_writes()
            campaign.point(subject, f"application {who}, folder {folder:o}, file {db:o}, -wal and -shm {shm:o}", wrong)
        campaign.note("exits " + " ".join(f"{c}:{n}" for c, n in sorted(codes.items())))
        return campaign


class Application:
    """Has the file open in WAL mode; a killed one leaves -wal and -shm."""

    def __init__(self, subject, who: str) -> None:
        self.subject, self.who = subject, who
        code = ("import sqlite3, sys, time; c = sqlite3.connect(sys.argv[1], isolation_level=None); "
                "c.execute(\"UPDATE task_queue SET priority = 7 WHERE task_id = 'healthy'\"); print('ready', flush=True); time.sleep(60)")
        self.process = None
        if who != "away":
            self.process = subprocess.Popen(["python3", "-c", code, subject.db], stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> "Application":
        if self.process:
            require(self.process.stdout.readline() == "ready\n", "the application is ready")
            if self.who == "killed":
                self._end()
        return self

    def still_writes(self) -> list[str]:
        try:
            connection = sqlite3.connect(self.subject.path, timeout=2, isolation_level=None)
            connection.execute("UPDATE task_queue SET priority = 8 WHERE task_id = 'healthy'")
            connection.close()
            return []
        except sqlite3.Error as error:
            return [f"T20 the application cannot write any more: {error}"]

    def _end(self) -> None:
        self.process.kill()
        self.process.wait()

    def __exit__(self, *_) -> None:
        if self.process:
            self._end()
            self.process.stdout.close()


def as_nobody(subject, codes: collections.Counter, writable: bool) -> list[str]:
    state = lambda: {p.name: (p.stat().st_uid, p.stat().st_size) for p in subject.folder.path.glob("tasks*")}  # noqa: E731
    before, rows = state(), subject.path.read_bytes()
    wrong = []
    for arguments in (["list-stuck", "--db", subject.db, "--now", NOW, "--output", "json"], [*repair(subject.db), *UNGUARDED]):
        result = subprocess.run(["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups", TASKCTL, *arguments],
                                env=dict(subject.folder.env, HOME="/nonexistent", XDG_STATE_HOME="/nonexistent"), cwd="/", capture_output=True, text=True, timeout=60, check=False)
        codes[result.returncode] += 1
        reads = arguments[0] == "list-stuck"
        if result.returncode not in ((0, 10) if reads or writable else (10,)) or result.returncode and "HINT" not in result.stderr and '"hint":"' not in result.stderr:
            wrong.append(f"T20 {arguments[0]} ends with {result.returncode}: {result.stderr[-300:]!r}")
        if (result.returncode or reads) and (state() != before or subject.path.read_bytes() != rows):
            wrong.append(f"T20 {arguments[0]}: {before} → {state()}")
    return wrong
