"""The databases that are measured, made by the scripts in bench/data: the same rows every time."""
import os
import shutil
import subprocess

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data")
NOW = "2026-01-01T00:00:00Z"  # clock of the data
DROP_INDEXES = "DROP INDEX idx_task_status;"


def script(name, rows):
    with open(os.path.join(DATA, name), encoding="utf-8") as file:
        return file.read().format(rows=rows)


def make_sqlite(path, rows):
    subprocess.run(["sqlite3", "-bail", path], input=script("task_queue.sqlite.sql", rows), text=True, check=True,
                   stdout=subprocess.DEVNULL)


def psql(database, sql):
    return subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", database], input=sql, text=True, check=True,
                          stdout=subprocess.PIPE).stdout


def drop_postgres(name):
    subprocess.run(["dropdb", "--if-exists", "--force", name], check=True, stderr=subprocess.DEVNULL)


def make_postgres(name, source, rows):
    drop_postgres(name)
    subprocess.run(["createdb", name], check=True)
    psql(name, script(source, rows))


class SqliteCopies:
    """Fresh copies of one file for commands that write."""

    def __init__(self, original):
        self._original = original
        self.path = "copy.db"

    def fresh(self):
        self.remove()
        shutil.copyfile(self._original, self.path)
        # What the copy has left to do on the disk is not the command's.
        subprocess.run(["sync", self.path], check=True)
        return self.path

    def remove(self):
        for suffix in ("", "-wal", "-shm", ".taskctl-lock"):
            if os.path.exists(self.path + suffix):
                os.remove(self.path + suffix)


class PostgresCopies:
    def __init__(self, original, name):
        self._original = original
        self.name = name

    def fresh(self):
        drop_postgres(self.name)
        subprocess.run(["createdb", "-T", self._original, self.name], check=True)
        psql(self.name, "CHECKPOINT")
        return self.name

    def remove(self):
        drop_postgres(self.name)
