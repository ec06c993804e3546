"""Shared by the fault tests: databases of many stuck tasks, running the binary, and reading what it left."""
import json
import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import uuid

TASKCTL = os.environ["TASKCTL"]
FIXTURES = pathlib.Path(os.environ["TASKCTL_SOURCE"]) / "tests" / "fixtures"
NOW = "2025-12-19T16:54:56+08:00"

# Stuck for hours at NOW, written as the application of the task-queue profile writes.
STARTED = "2025-12-18T10:00:00.000000"


class Failure(AssertionError):
    pass


def require(condition: bool, what: str) -> None:
    if not condition:
        raise Failure(what)


def same(actual, expected, what: str) -> None:
    require(actual == expected, f"{what}: {actual!r}, expected {expected!r}")


class Folder:
    """A scratch folder with a home of its own."""

    def __init__(self) -> None:
        self._dir = tempfile.TemporaryDirectory(prefix="taskctl-faults-")
        self.path = pathlib.Path(self._dir.name)
        self.env = dict(os.environ, HOME=self._dir.name, XDG_STATE_HOME=f"{self._dir.name}/state",
                        XDG_CONFIG_HOME=f"{self._dir.name}/config", LC_ALL="C.UTF-8", NO_COLOR="1", COLUMNS="200")
        self.env.pop("DATABASE_URL", None)

    def __enter__(self) -> "Folder":
        return self

    def __exit__(self, *_) -> None:
        self._dir.cleanup()

    def taskctl(self, *arguments: str, **options) -> subprocess.CompletedProcess:
        return subprocess.run([TASKCTL, *arguments], env=self.env, cwd=self.path, capture_output=True, text=True,
                              timeout=options.pop("timeout", 60), check=False, **options)

    def start(self, *arguments: str, **options) -> subprocess.Popen:
        """stdout and stderr are pipes that nobody reads before communicate(); give --quiet or a file for much output."""
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.PIPE)
        return subprocess.Popen([TASKCTL, *arguments], env=self.env, cwd=self.path, text=True, **options)

    def sqlite_tasks(self, count: int, journal_mode: str = "delete") -> str:
        """A task_queue with `count` stuck tasks, and one healthy one that must never change."""
        path = str(self.path / "tasks.db")
        schema = (FIXTURES / "task_queue.sqlite.sql").read_text(encoding="utf-8").split("INSERT INTO")[0]
        connection = sqlite3.connect(path)
        connection.execute(f"PRAGMA journal_mode={journal_mode}")
        connection.executescript(schema)
        connection.executemany(
            "INSERT INTO task_queue (task_id, task_type, status, created_at, started_at, updated_at) VALUES (?,?,?,?,?,?)",
            [(f"t{i}", "publish", "running", STARTED, STARTED, "2025-12-18 02:00:00") for i in range(count)]
            + [("healthy", "publish", "running", STARTED, "2025-12-19T16:50:00.000000", "2025-12-19 08:50:00")])
        connection.commit()
        connection.close()
        return path


class Postgres:
    """A database of its own on the test server."""

    def __init__(self) -> None:
        require("PGHOST" in os.environ, "no PostgreSQL server: run scripts/test, which starts one (pg_virtualenv)")
        self.name = "faults_" + uuid.uuid4().hex[:12]
        self.admin(f"CREATE DATABASE {self.name}")
        self.db = f"dbname={self.name}"

    def __enter__(self) -> "Postgres":
        return self

    def __exit__(self, *_) -> None:
        self.admin(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")

    @staticmethod
    def admin(sql: str) -> str:
        return psql("postgres", sql)

    def sql(self, text: str) -> str:
        return psql(self.name, text)

    def tasks(self, count: int) -> None:
        """The task-queue schema with `count` stuck tasks and a healthy one."""
        self.sql(f"""
            CREATE TABLE task_queue (id bigserial PRIMARY KEY, task_id text UNIQUE NOT NULL, task_type text NOT NULL,
              priority int DEFAULT 5, status text DEFAULT 'pending', data text, result text, error_message text,
              retry_count int DEFAULT 0, max_retries int DEFAULT 3, created_at text, started_at text, completed_at text,
              updated_at text);
            CREATE INDEX ON task_queue (status);
            INSERT INTO task_queue (task_id, task_type, status, created_at, started_at, updated_at)
              SELECT 't' || i, 'publish', 'running', '{STARTED}', '{STARTED}', '2025-12-18 02:00:00'
              FROM generate_series(0, {count - 1}) i;
            INSERT INTO task_queue (task_id, task_type, status, created_at, started_at, updated_at)
              VALUES ('healthy', 'publish', 'running', '{STARTED}', '2025-12-19T16:50:00.000000', '2025-12-19 08:50:00');""")


def psql(database: str, sql: str) -> str:
    result = subprocess.run(["psql", "-qXAt", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", sql], capture_output=True,
                            text=True, check=False)
    require(result.returncode == 0, f"psql: {result.stderr}")
    return result.stdout.strip()


def sqlite_rows(path: str, sql: str) -> list:
    connection = sqlite3.connect(path, timeout=10)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def repair(db: str, *more: str) -> list[str]:
    return ["reconcile", "--db", db, "--now", NOW, "--max-age", "1", "--yes", "--max-changes", "1000000", *more]


def parse_json(result: subprocess.CompletedProcess) -> dict:
    try:
        return json.loads(result.stdout)
    except json.JSONDecodeError as error:
        raise Failure(f"stdout is not JSON ({error}): {result.stdout[:300]!r} {result.stderr[:300]!r}") from error


def main(cases: list) -> None:
    """Runs every case; the first failure of each is printed, any failure fails the test."""
    require(bool(cases), "no cases")
    failed = 0
    for case in cases:
        try:
            case()
            print(f"ok      {case.__name__}")
        except (Failure, subprocess.TimeoutExpired) as error:
            failed += 1
            print(f"FAILED  {case.__name__}: {error}")
    sys.exit(1 if failed else 0)
