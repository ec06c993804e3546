#!/usr/bin/env python3
"""Runs one golden case: a .case file of steps against a fresh database, compared with its .expected transcript.

Steps, one a line ('#' begins a comment):
  database FIXTURE          load tests/fixtures/FIXTURE (…sqlite.sql into a file, …postgres.sql into a new database)
  taskctl ARGUMENTS         run the binary; {db} is the database, {dir} the case's folder
  input TEXT                standard input of the next taskctl step (\\n is a newline)
  env NAME=VALUE            for the steps that follow
  sql STATEMENT             run by sqlite3 or psql; what it prints is part of the transcript
  sh COMMAND                run by bash with $TASKCTL, $DB and $DIR set

The transcript shows command, exit code, standard output and standard error of every step. Parts that differ from run to
run (run ids, backup names, pids, host, versions, folders) are replaced. TASKCTL_TEST_ACCEPT=1 writes the transcript
instead and ends with 77, so that an accepting run is never taken for a passing one.
"""
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import uuid

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "fixtures"

REPLACEMENTS = [
    (r"\b\d{8}T\d{6}-[0-9a-f]{6}\b", "RUN"),
    (r"_backup_\d{8}_\d{6}(-\d+)?\b", "_backup_TIME"),
    (r"-[0-9a-f]{16}\.db\b", "-HASH.db"),
    (r"sha256 [0-9a-f]{64}", "sha256 HASH"),
    (r"(made at|good until|ago, at) 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", r"\1 TIME"),
    (r"\(\w+@HOST, 20\d\d-[^)]*Z\)", "(USER@HOST, TIME)"),
    (r"expired \S+ ago", "expired LONG ago"),
    (r"'sqlite:[^']*'", "'sqlite:FILE'"),
    (r"'postgres:[^']*'", "'postgres:PLACE'"),
    (r'"(sha256|nonce|plan_hash|plan_nonce|profile_hash)":\s*"[0-9a-f-]+"', r'"\1":"HASH"'),
    (r"SQLite 3\.\d+\.\d+", "SQLite VERSION"),
    (r"PostgreSQL 1\d\.\d+", "PostgreSQL VERSION"),
    (r"\bpid \d+", "pid PID"),
    (r'"pid":\s*\d+', '"pid":0'),
    (r"\d+ bytes", "N bytes"),
    (r"is \S+ before the database's clock", "is LONG before the database's clock"),
    (r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}Z(?=$|\s|,|\")", "TIME"),
]


class Case:
    def __init__(self, path: pathlib.Path, folder: pathlib.Path) -> None:
        self.path, self.folder = path, folder
        self.env = dict(os.environ, XDG_STATE_HOME=str(folder / "state"), XDG_CONFIG_HOME=str(folder / "config"),
                        HOME=str(folder), COLUMNS="120", LC_ALL="C.UTF-8", NO_COLOR="1")
        self.env.pop("DATABASE_URL", None)
        self.input = ""
        self.db = ""
        self.postgres_name = ""
        self.made: list[str] = []  # databases on the server
        self.transcript: list[str] = []

    def load(self, fixture: str) -> None:
        file = FIXTURES / fixture
        if fixture.endswith(".postgres.sql"):
            self.postgres_name = "golden_" + uuid.uuid4().hex[:12]
            subprocess.run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-d", "postgres", "-c",
                            f"CREATE DATABASE {self.postgres_name}"], check=True)
            self.made.append(self.postgres_name)
            subprocess.run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-d", self.postgres_name, "-f", str(file)],
                           check=True, stdout=subprocess.DEVNULL)
            self.db = f"dbname={self.postgres_name}"
        else:
            self.db = str(self.folder / "tasks.db")
            subprocess.run(["sqlite3", self.db], input=file.read_bytes(), check=True)

    def drop(self) -> None:
        for name in [] if os.environ.get("TASKCTL_KEEP_TEST_DB") else self.made:
            subprocess.run(["psql", "-qX", "-d", "postgres", "-c", f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"],
                           check=False)

    def normalise(self, text: str) -> str:
        text = text.replace(str(self.folder), "DIR")
        if self.postgres_name:
            text = text.replace(self.postgres_name, "DATABASE")
        host = os.uname().nodename
        text = text.replace(f"@{host}", "@HOST").replace(f'"host":"{host}"', '"host":"HOST"')
        for name in ("PGPORT", "PGHOST"):
            value = self.env.get(name)
            if value:
                text = re.sub(rf"\b{re.escape(value)}\b", name, text)
        for pattern, replacement in REPLACEMENTS:
            text = re.sub(pattern, replacement, text)
        return text

    def record(self, title: str, result: subprocess.CompletedProcess) -> None:
        out = result.stdout.decode("utf-8", "backslashreplace")
        err = result.stderr.decode("utf-8", "backslashreplace")
        lines = [f"$ {title}", f"exit {result.returncode}"]
        for name, text in (("out", out), ("err", err)):
            if text:
                lines += [f"{name}| {line}" for line in text.removesuffix("\n").split("\n")]
        self.transcript.append(self.normalise("\n".join(lines)))

    def step(self, verb: str, rest: str) -> None:
        if verb == "database":
            self.load(rest)
        elif verb == "env":
            name, value = rest.split("=", 1)
            self.env[name] = value.replace("{dir}", str(self.folder)).replace("{db}", self.db)
        elif verb == "input":
            self.input = rest.replace("\\n", "\n")
        elif verb == "taskctl":
            arguments = [a.replace("{db}", self.db).replace("{dir}", str(self.folder)) for a in shlex.split(rest)]
            result = subprocess.run([os.environ["TASKCTL"], *arguments], input=self.input.encode(), env=self.env,
                                    cwd=self.folder, capture_output=True, timeout=60, check=False)
            self.input = ""
            self.record("taskctl " + rest, result)
        elif verb == "sql":
            command = ["psql", "-qXAt", "-d", self.postgres_name, "-c", rest] if self.postgres_name \
                else ["sqlite3", self.db, rest]
            self.record("sql " + rest, subprocess.run(command, capture_output=True, timeout=60, env=self.env, check=False))
        elif verb == "sh":
            env = dict(self.env, DB=self.db, DIR=str(self.folder))
            self.record("sh " + rest, subprocess.run(["bash", "-c", rest], capture_output=True, timeout=60, env=env,
                                                     cwd=self.folder, check=False))
        else:
            raise SystemExit(f"{self.path}: unknown step '{verb}'")

    def run(self) -> str:
        for line in self.path.read_text(encoding="utf-8").splitlines():
            if line.strip() and not line.startswith("#"):
                verb, _, rest = line.partition(" ")
                self.step(verb, rest.strip())
        return "\n\n".join(self.transcript) + "\n"


def main() -> int:
    path = pathlib.Path(sys.argv[1])
    expected = path.with_suffix(".expected")
    with tempfile.TemporaryDirectory(prefix="taskctl-golden-") as name:
        case = Case(path, pathlib.Path(name))
        try:
            actual = case.run()
        finally:
            case.drop()
    if os.environ.get("TASKCTL_TEST_ACCEPT"):
        expected.write_text(actual, encoding="utf-8")
        print(f"wrote {expected}; read it before you commit it")
        return 77
    if not expected.exists():
        print(f"{expected} is missing; TASKCTL_TEST_ACCEPT=1 writes it\n{actual}")
        return 1
    if expected.read_text(encoding="utf-8") == actual:
        return 0
    diff = subprocess.run(["diff", "-u", str(expected), "-"], input=actual.encode(), capture_output=True, check=False)
    print(diff.stdout.decode())
    return 1


if __name__ == "__main__":
    sys.exit(main())
