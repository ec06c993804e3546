#!/usr/bin/env python3
"""A PostgreSQL server that locks, loses a connection at COMMIT, gives few rights, or is a standby."""
import os
import pathlib
import shutil
import socket
import subprocess
import time

from harness import NOW, Folder, Postgres, main, parse_json, repair, require, same
from proxy import CommitBreaker


def lost_commit(forward: bool, commit: int) -> tuple:
    """Exit, applied, and rows repaired when the connection breaks at that COMMIT. The first makes the journal."""
    with Folder() as folder, Postgres() as server:
        server.tasks(100)
        proxy = CommitBreaker(commit, forward)
        db = proxy.db(server.name)
        result = folder.taskctl(*repair(db, "--no-backup", "--batch-size", "40", "--output", "json"))
        same(server.sql("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
                        "pid <> pg_backend_pid() AND xact_start IS NOT NULL"), "0", "open transactions")
        repaired = int(server.sql("SELECT count(*) FROM task_queue WHERE status = 'failed'"))
        same(server.sql("SELECT count(*) FROM taskctl.taskctl_changes"), str(repaired), "journal entries")
        answer = parse_json(result).get("result")
        again = folder.taskctl(*repair(server.db, "--no-backup", "--quiet"))
        same(again.returncode, 0, f"the next run goes on ({again.stderr})")
        same(server.sql("SELECT count(*) FROM task_queue WHERE status = 'failed'"), "100", "repaired in the end")
        return result.returncode, answer and answer["applied"], repaired, result.stderr


def commit_without_an_answer_is_looked_up() -> None:
    reading = commits_before_the_first_batch()
    for forward in (True, False):
        for number in (1, 2, 3):
            *seen, stderr = lost_commit(forward, reading + number)
            same(tuple(seen), (0, 100, 100), f"exit, told and repaired rows when COMMIT {number} is lost, forward={forward} ({stderr})")
            require("the connection was lost and made again" in stderr, f"what happened: {stderr}")


def only_a_commit_that_wrote_is_in_doubt() -> None:
    with Folder() as folder, Postgres() as server:
        server.tasks(10)
        for commit, words in ((1, "was lost"), (2, "of the empty journal; no task was changed")):
            proxy = CommitBreaker(commit, True)
            result = folder.taskctl(*repair(proxy.db(server.name), "--no-backup"))
            same(result.returncode, 8, f"COMMIT {commit} ({result.stderr})")
            require(words in result.stderr, f"COMMIT {commit}: {result.stderr}")
            same(server.sql("SELECT count(*) FROM task_queue WHERE status = 'failed'"), "0", "repaired")
        proxy = CommitBreaker(1, True)
        same(folder.taskctl("list-stuck", "--db", proxy.db(server.name), "--now", NOW).returncode, 8, "a listing")


def commits_before_the_first_batch() -> int:
    with Folder() as folder, Postgres() as server:
        server.tasks(1)
        proxy = CommitBreaker(10**6, True)
        db = proxy.db(server.name)
        same(folder.taskctl(*repair(db, "--no-backup")).returncode, 0, "a repair through the proxy")
        return proxy.commits - 3  # the batch, the end of the run, and the counting


def commit_in_doubt_when_nobody_can_tell() -> None:
    with Folder() as folder, Postgres() as server:
        server.tasks(100)
        server.sql("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.task_id = 't70' THEN "
                   "PERFORM pg_sleep(30); END IF; RETURN NULL; END $$; CREATE CONSTRAINT TRIGGER slow AFTER UPDATE ON "
                   "task_queue DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow()")
        run = folder.start(*repair(server.db, "--no-backup", "--quiet", "--batch-size", "50", "--reconnect-wait", "2s"))
        committing = ("SELECT pid FROM pg_stat_activity WHERE datname = '" + server.name + "' AND wait_event = 'PgSleep'"
                      " AND query = 'COMMIT'")
        for _ in range(500):
            if pid := server.admin(committing):
                break
            time.sleep(0.02)
        server.admin(f"ALTER DATABASE {server.name} ALLOW_CONNECTIONS false")
        server.admin(f"SELECT pg_terminate_backend({pid})")
        _, err = run.communicate(timeout=60)
        same(run.returncode, 9, f"exit ({err})")
        require("taskctl history show 2" in err, f"where to look: {err}")
        server.admin(f"ALTER DATABASE {server.name} ALLOW_CONNECTIONS true")
        same(server.sql("SELECT count(*) FROM taskctl.taskctl_changes"), "50", "journal entries")


def a_locked_table_is_named() -> None:
    with Folder() as folder, Postgres() as server:
        server.tasks(5)
        holder = subprocess.Popen(["psql", "-qX", "-d", server.name], stdin=subprocess.PIPE, text=True,
                                  stdout=subprocess.DEVNULL)
        try:
            for mode, command in (("ACCESS EXCLUSIVE", ["list-stuck", "--db", server.db, "--now", NOW, "--lock-timeout", "1s"]),
                                  ("EXCLUSIVE", repair(server.db, "--no-backup", "--lock-timeout", "1s"))):
                holder.stdin.write(f"BEGIN; LOCK TABLE task_queue IN {mode} MODE;\n")
                holder.stdin.flush()
                held = "SELECT pid FROM pg_locks WHERE granted AND relation = 'task_queue'::regclass"
                while not (pid := server.sql(held)):
                    time.sleep(0.02)
                result = folder.taskctl(*command)
                same(result.returncode, 6, f"exit ({result.stderr})")
                said = result.stdout + result.stderr
                require(f"'public.task_queue' is locked by server process {pid} (application 'psql'" in said, f"who: {said}")
                require(f"pg_terminate_backend({pid})" in result.stderr, f"what helps: {result.stderr}")
                holder.stdin.write("ROLLBACK;\n")
        finally:
            holder.stdin.close()
            holder.wait(timeout=10)


def few_rights_get_a_backup_of_the_rows() -> None:
    with Folder() as folder, Postgres() as server:
        server.tasks(5)
        role = server.name + "_worker"
        server.sql(f"CREATE ROLE {role} LOGIN PASSWORD 'x'; GRANT USAGE ON SCHEMA public TO {role};"
                   f"GRANT SELECT, UPDATE ON task_queue TO {role}; GRANT CREATE ON DATABASE {server.name} TO {role}")
        folder.env.update(PGUSER=role, PGPASSWORD="x")
        result = folder.taskctl(*repair(server.db, "--limit", "2"))
        same(result.returncode, 0, f"exit ({result.stderr})")
        require("only the rows are backed up, not the tables: role '" + role + "' may not read the sequence "
                "'public.task_queue_id_seq'; to allow the tables: GRANT SELECT ON ALL SEQUENCES IN SCHEMA" in result.stderr,
                f"why: {result.stderr}")
        require("(rows, verified: open)" in result.stderr, f"which backup: {result.stderr}")
        tables = folder.taskctl(*repair(server.db, "--backup", "tables"))
        same(tables.returncode, 7, f"asked for by name ({tables.stderr})")
        require("GRANT SELECT ON ALL SEQUENCES" in tables.stderr, f"hint: {tables.stderr}")
        server.sql(f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}")
        granted = folder.taskctl(*repair(server.db))
        require("(tables, verified: open)" in granted.stderr, f"after the GRANT: {granted.stderr}")
        server.sql(f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}")


class Standby:
    """A hot standby of the test server."""

    def __init__(self, folder: Folder) -> None:
        self.data = folder.path / "standby"
        self.data.mkdir(mode=0o700)
        os.chmod(folder.path, 0o755)
        self.bin = pathlib.Path(subprocess.run([os.environ.get("PG_CONFIG", "pg_config"), "--bindir"], capture_output=True, text=True,
                                               check=True).stdout.strip())
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self._as_server("pg_basebackup", "-D", str(self.data), "-R", "-X", "stream", "-c", "fast", "-d",
                        f"host={os.environ['PGHOST']} port={os.environ['PGPORT']} user={os.environ['PGUSER']}")
        (self.data / "hba.conf").write_text("host all all 127.0.0.1/32 scram-sha-256\n", encoding="utf-8")
        (self.data / "postgresql.conf").write_text(
            f"port={self.port}\nlisten_addresses='127.0.0.1'\nunix_socket_directories=''\nhot_standby=on\n"
            f"max_connections=1000\nhba_file='{self.data}/hba.conf'\n", encoding="utf-8")
        if os.geteuid() == 0:
            for path in (self.data / "hba.conf", self.data / "postgresql.conf"):
                shutil.chown(path, "postgres")

    def __enter__(self) -> "Standby":
        self._as_server(str(self.bin / "pg_ctl"), "-D", str(self.data), "-l", str(self.data / "log"), "-w", "start")
        return self

    def __exit__(self, *_) -> None:
        self._as_server(str(self.bin / "pg_ctl"), "-D", str(self.data), "-m", "immediate", "-w", "stop")

    def _as_server(self, *command: str) -> None:
        """The server refuses to be root."""
        root = os.geteuid() == 0
        if root:
            shutil.chown(self.data, "postgres")
        result = subprocess.run(("setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups", *command)
                                if root else command, capture_output=True, text=True, timeout=90, check=False,
                                cwd="/", stdin=subprocess.DEVNULL)
        require(result.returncode == 0, f"{command[0]}: {result.stdout} {result.stderr}")


def a_standby_is_read_and_never_written() -> None:
    with Folder() as folder, Postgres() as server:
        server.tasks(5)
        same(folder.taskctl(*repair(server.db, "--no-backup", "--limit", "1")).returncode, 0, "a run to be undone")
        with Standby(folder) as standby:
            db = f"host=127.0.0.1 port={standby.port} dbname={server.name}"
            result = folder.taskctl("list-stuck", "--db", db, "--now", NOW, "--output", "json")
            same(result.returncode, 0, f"listing ({result.stderr})")
            same(parse_json(result)["summary"]["stuck"], 4, "stuck")
            for reading in (["show", "t1", "--db", db, "--now", NOW], ["history", "--db", db], ["profile", "check", "--db", db],
                            ["reconcile", "--dry-run", "--max-age", "1", "--db", db, "--now", NOW],
                            ["backup", "--db", db, "--backup-dir", str(folder.path / "copies")]):
                result = folder.taskctl(*reading)
                same(result.returncode, 0, f"{reading[0]} ({result.stderr})")
            for writing in (repair(db), ["cancel", "t1", "--force", "--yes", "--db", db], ["undo", "--last", "--yes", "--db", db],
                            ["guard", "install", "--yes", "--db", db]):
                result = folder.taskctl(*writing)
                same(result.returncode, 5, f"{writing[0]} ({result.stderr})")
                require("is a standby" in result.stderr, f"{writing[0]}: {result.stderr}")


main([commit_without_an_answer_is_looked_up, only_a_commit_that_wrote_is_in_doubt, commit_in_doubt_when_nobody_can_tell, a_locked_table_is_named,
      few_rights_get_a_backup_of_the_rows, a_standby_is_read_and_never_written])
