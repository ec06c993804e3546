"""Databases under test: a task_queue on SQLite (four journal modes) and on PostgreSQL, read to the byte."""
import dataclasses
import json
import os
import pathlib
import shutil
import sqlite3
import struct
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "faults"))
from harness import NOW, Failure, Folder, Postgres, TASKCTL, psql, require, same  # noqa: E402,F401

from oracle import Outcome, Plan  # noqa: E402

JOURNAL_TABLES = ("taskctl_meta", "taskctl_runs", "taskctl_changes")


@dataclasses.dataclass
class Entry:
    """One row of taskctl_changes."""
    run: str
    task: str
    table: str
    key: tuple
    before: dict | None
    after: dict | None


class Subject:
    """What both engines share: running taskctl against a database and reading what it left."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self.keys: dict = {}  # table → key columns
        self.columns: dict = {}

    def run(self, *arguments: str, **options) -> Outcome:
        result = self.folder.taskctl(*arguments, **options)
        return Outcome(result.returncode, result.stdout, result.stderr)

    def under_strace(self, inject: list[str], *arguments: str, log: str = "/dev/null", trace: str | None = None,
                     more: list[str] | None = None) -> Outcome:
        """Not with --seccomp-bpf: it would be faster, and injects nothing."""
        calls = trace or ",".join(one.split(":")[0] for one in inject)
        command = ["strace", "-f", "-qq", "-o", log, "-e", f"trace={calls}"]
        for one in inject:
            command += ["-e", f"inject={one}"]
        result = subprocess.run([*command, *(more or []), TASKCTL, *arguments], env=self.folder.env, cwd=self.folder.path,
                                capture_output=True, text=True, timeout=120, check=False)
        return Outcome(result.returncode, result.stdout, result.stderr)

    def plan(self, *arguments: str) -> Plan:
        outcome = self.run(*arguments, "--dry-run", "--output", "json")
        require(outcome.code == 0 and outcome.document is not None, f"dry run of {arguments}: {outcome}")
        return Plan.of(outcome.document, self)

    def key_of(self, table: str, row: dict) -> tuple:
        return tuple(row[column] for column in self.keys[table])

    def runs(self) -> list[str]:
        """Ids of the runs that have entries, oldest first."""
        return list(dict.fromkeys(entry.run for entry in self.journal()))


class Sqlite(Subject):
    engine = "sqlite"

    def __init__(self, folder: Folder, mode: str) -> None:
        super().__init__(folder)
        self.mode = mode
        self.path = folder.path / "tasks.db"
        self.template = folder.path / "template.db"

    @property
    def db(self) -> str:
        return str(self.path)

    def tasks(self, count: int) -> None:
        self.folder.sqlite_tasks(count, "wal" if self.mode == "wal" else "delete")
        self.learn()

    def learn(self) -> None:
        """Reads the schema; what the database is now is what reset() goes back to."""
        connection = sqlite3.connect(self.path)
        names = [n for (n,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        for name in names:
            if name in JOURNAL_TABLES or name.startswith("sqlite_"):
                continue
            info = connection.execute(f"SELECT name, pk FROM pragma_table_info({quote(name, chr(39))})").fetchall()
            self.columns[name] = [column for column, _ in info]
            self.keys[name] = [c for c, pk in sorted(info, key=lambda i: i[1]) if pk] or [c for c, _ in info]
        connection.close()
        self.save()

    def save(self) -> None:
        connection = sqlite3.connect(self.path)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        shutil.copy(self.path, self.template)

    def reset(self) -> None:
        for path in self.folder.path.glob("tasks*"):
            path.unlink()
        shutil.copy(self.template, self.path)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=20)
        connection.text_factory = bytes
        return connection

    def snapshot(self) -> dict:
        connection = self._connect()
        try:
            check = connection.execute("PRAGMA integrity_check").fetchone()[0]
            require(check == b"ok", f"I1 integrity_check: {check!r}")
            result = {}
            for table, columns in self.columns.items():
                # quote() keeps only 15 digits of a real in this version: the value itself is read.
                wanted = ", ".join(f"typeof({quote(c)}), {quote(c)}" for c in columns)
                rows = connection.execute(f"SELECT {wanted} FROM {quote(table)}").fetchall()
                found = [dict(zip(columns, (cell(row[2 * i].decode(), row[2 * i + 1]) for i in range(len(columns))))) for row in rows]
                result[table] = {self.key_of(table, row): row for row in found}
                require(len(result[table]) == len(rows), f"keys of {table} are unique")
            return result
        finally:
            connection.close()

    def journal(self) -> list[Entry]:
        connection = sqlite3.connect(self.path, timeout=20)
        try:
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'taskctl_changes'").fetchone():
                return []
            rows = connection.execute("SELECT run_id, task, table_name, row_before, row_after FROM taskctl_changes "
                                      "ORDER BY applied_at, run_id, sequence").fetchall()
        finally:
            connection.close()
        return [self._entry(*row) for row in rows]

    def _entry(self, run: str, task: str, table: str, before: str | None, after: str | None) -> Entry:
        old, new = (image and self.cells(json.loads(image)) for image in (before, after))
        return Entry(run, task, table, self.key_of(table, old or new), old, new)

    @staticmethod
    def table_name(name: str) -> str:
        return name

    @staticmethod
    def cells(image: dict) -> dict:
        return {column: json_cell(value) for column, value in image.items()}

    def keep(self, target: pathlib.Path) -> None:
        shutil.copytree(self.folder.path, target, dirs_exist_ok=True)

    def wait_until_idle(self) -> None:
        """Nobody but the killed process had it open."""

    def close(self) -> None:
        pass


def quote(name: str, mark: str = '"') -> str:
    return mark + name.replace(mark, mark * 2) + mark


def cell(kind: str, value) -> tuple:
    if kind == "real":
        return kind, struct.pack(">d", value)
    return kind, value


def json_cell(value) -> tuple:
    if value is None:
        return "null", None
    if isinstance(value, dict):
        (kind, text), = value.items()
        return {"blob": ("blob", bytes.fromhex(text)) if kind == "blob" else None,
                "text": ("text", bytes.fromhex(text)) if kind == "text" else None,
                "real": ("real", struct.pack(">d", float(text))) if kind == "real" else None}[kind]
    if isinstance(value, float):
        return "real", struct.pack(">d", value)
    if isinstance(value, int):
        return "integer", value
    return "text", value.encode()


class Server(Subject):
    engine = "postgres"
    mode = "postgres"

    def __init__(self, folder: Folder) -> None:
        super().__init__(folder)
        self.database = Postgres()
        self.db = self.database.db

    def tasks(self, count: int) -> None:
        self.database.tasks(count)
        self.learn()

    def learn(self) -> None:
        rows = self.sql("SELECT c.relname, a.attname, coalesce(array_position(i.indkey::int2[], a.attnum) + 1, 0) "
                        "FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT attisdropped "
                        "LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary "
                        "WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' ORDER BY 1, a.attnum")
        self.columns, keys = {}, {}
        for line in rows.splitlines():
            table, column, position = line.split("|")
            self.columns.setdefault(table, []).append(column)
            if int(position):
                keys.setdefault(table, []).append((int(position), column))
        self.keys = {t: [c for _, c in sorted(keys[t])] if t in keys else columns for t, columns in self.columns.items()}
        self.save()

    def save(self) -> None:
        copies = "".join(f"CREATE TABLE torture.{quote(t)} AS SELECT * FROM public.{quote(t)};" for t in self.columns)
        self.sql("DROP SCHEMA IF EXISTS torture CASCADE; CREATE SCHEMA torture;" + copies)
        if self.sql("SELECT to_regclass('taskctl.taskctl_runs') IS NOT NULL") == "t":
            self.sql("".join(f"CREATE TABLE torture.{t} AS SELECT * FROM taskctl.{t};" for t in JOURNAL_TABLES))

    def reset(self) -> None:
        self.wait_until_idle()
        text = "SET session_replication_role = replica;"
        text += "".join(f"DELETE FROM public.{quote(t)}; INSERT INTO public.{quote(t)} SELECT * FROM torture.{quote(t)};"
                        for t in self.columns)
        if self.sql("SELECT to_regclass('torture.taskctl_runs') IS NOT NULL") == "t":
            text += "".join(f"DELETE FROM taskctl.{t};" for t in reversed(JOURNAL_TABLES))
            text += "".join(f"INSERT INTO taskctl.{t} SELECT * FROM torture.{t};" for t in JOURNAL_TABLES)
        else:
            text += "DROP SCHEMA IF EXISTS taskctl CASCADE;"
        self.sql(text)

    def sql(self, text: str) -> str:
        return self.database.sql(text)

    def wait_until_idle(self) -> None:
        """A backend notices that its client is dead at its next answer; until then its transaction is open."""
        for _ in range(500):
            if self.database.admin("SELECT count(*) FROM pg_stat_activity WHERE datname = "
                                   f"'{self.database.name}'") == "0":
                return
            time.sleep(0.02)
        raise Failure("a session of a killed run is still there after 10 s")

    def snapshot(self) -> dict:
        commands = []
        for table, columns in self.columns.items():
            wanted = ", ".join(f"{quote(c)}::text" for c in columns)
            commands += ["-c", f"COPY (SELECT {wanted} FROM public.{quote(table)}) TO STDOUT", "-c", "\\echo '\\001'"]
        out = self._copy(commands)
        result, rows = {}, []
        for line in out.split("\n")[:-1]:
            table = list(self.columns)[len(result)]
            if line == "\001":
                result[table] = {self.key_of(table, row): row for row in rows}
                rows = []
            else:
                rows.append(dict(zip(self.columns[table], map(copied, line.split("\t")))))
        return result

    def _copy(self, commands: list[str]) -> str:
        settings = "-c TimeZone=UTC -c DateStyle=ISO -c IntervalStyle=postgres -c bytea_output=hex -c extra_float_digits=1"
        result = subprocess.run(["psql", "-qXAt", "-v", "ON_ERROR_STOP=1", "-d", self.database.name, *commands],
                                env=dict(os.environ, PGOPTIONS=settings), capture_output=True, check=False)
        require(result.returncode == 0, f"psql: {result.stderr.decode()}")
        return result.stdout.decode()

    def journal(self) -> list[Entry]:
        if self.sql("SELECT to_regclass('taskctl.taskctl_changes') IS NOT NULL") != "t":
            return []
        out = self._copy(["-c", "COPY (SELECT run_id, task, table_name, row_before, row_after FROM taskctl.taskctl_changes "
                                "ORDER BY applied_at, run_id, sequence) TO STDOUT"])
        entries = []
        for line in out.split("\n")[:-1]:
            run, task, table, before, after = map(copied, line.split("\t"))
            old, new = (image and self.cells(json.loads(image)) for image in (before, after))
            table = self.table_name(table)
            entries.append(Entry(run, task, table, self.key_of(table, old or new), old, new))
        return entries

    @staticmethod
    def table_name(name: str) -> str:
        return unquote(name.removeprefix("public."))

    @staticmethod
    def cells(image: dict) -> dict:
        return image

    def keep(self, target: pathlib.Path) -> None:
        target.mkdir(parents=True, exist_ok=True)
        subprocess.run(["pg_dump", "-d", self.database.name, "-f", str(target / "database.sql")], check=False)
        shutil.copytree(self.folder.path, target / "folder", dirs_exist_ok=True)

    def close(self) -> None:
        self.database.__exit__()


def unquote(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def copied(field: str) -> str | None:
    """A field of COPY's text format."""
    if field == "\\N":
        return None
    if "\\" not in field:
        return field
    out, letters = [], iter(field)
    for letter in letters:
        if letter == "\\":
            letter = next(letters)
            letter = {"t": "\t", "n": "\n", "r": "\r", "b": "\b", "f": "\f", "v": "\v"}.get(letter, letter)
        out.append(letter)
    return "".join(out)


def repair(db: str, *more: str) -> list[str]:
    return ["reconcile", "--db", db, "--now", NOW, "--max-age", "1", "--max-changes", "1000000", *more]


UNGUARDED = ("--yes", "--no-backup", "--output", "json")
