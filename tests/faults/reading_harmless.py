#!/usr/bin/env python3
"""Reading does no harm: other users, running and killed applications, read-only places, slow readers, small roles."""
import os
import pathlib
import sqlite3
import subprocess
import time

from harness import NOW, Folder, Postgres, TASKCTL, main, parse_json, require, same

NOBODY = 65534


def as_nobody(folder: Folder, *arguments: str) -> subprocess.CompletedProcess:
    """The binary as another user, from a folder which that user can enter but not write."""
    os.chmod(folder.path, 0o755)
    return subprocess.run(["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups", TASKCTL, *arguments],
                          env=dict(folder.env, HOME="/nonexistent"), cwd="/", capture_output=True, text=True, timeout=60, check=False)


def listing(db: str) -> list[str]:
    return ["list-stuck", "--db", db, "--now", NOW, "--output", "json"]


def files(folder: Folder) -> list[str]:
    return sorted(p.name for p in folder.path.iterdir() if p.name.startswith("tasks"))


def idle_wal_file_of_another_user() -> None:
    with Folder() as folder:
        db = folder.sqlite_tasks(5, "wal")
        os.chmod(db, 0o644)
        before = files(folder)
        result = as_nobody(folder, *listing(db))
        same(result.returncode, 0, f"exit ({result.stderr})")
        same(parse_json(result)["summary"]["stuck"], 5, "stuck")
        same(files(folder), before, "files beside the database")
        connection = sqlite3.connect(db)
        connection.execute("UPDATE task_queue SET priority = 9 WHERE task_id = 't0'")
        connection.commit()
        connection.close()


def wal_in_use_by_the_application() -> None:
    with Folder() as folder:
        db = folder.sqlite_tasks(5, "wal")
        application = sqlite3.connect(db)
        application.execute("UPDATE task_queue SET status = 'success' WHERE task_id = 't0'")
        application.commit()
        result = folder.taskctl(*listing(db))
        same(result.returncode, 0, f"exit ({result.stderr})")
        same(parse_json(result)["summary"]["stuck"], 4, "stuck: what stands in the -wal file counts")
        application.execute("UPDATE task_queue SET status = 'success' WHERE task_id = 't1'")
        application.commit()
        application.close()


def open_write_transaction_does_not_block_reading() -> None:
    with Folder() as folder:
        db = folder.sqlite_tasks(5)
        application = sqlite3.connect(db, isolation_level=None)
        application.execute("BEGIN IMMEDIATE")
        application.execute("UPDATE task_queue SET status = 'success' WHERE task_id = 't0'")
        result = folder.taskctl(*listing(db))
        same(result.returncode, 0, f"exit ({result.stderr})")
        same(parse_json(result)["summary"]["stuck"], 5, "stuck: uncommitted changes are not seen")
        application.execute("COMMIT")
        application.close()


def slow_reader_holds_no_lock() -> None:
    with Folder() as folder:
        db = folder.sqlite_tasks(3000)
        reader = folder.start(*listing(db))
        time.sleep(1.0)  # the pipe is full by now and nobody reads it
        require(reader.poll() is None, "the listing should be waiting for its reader")
        started = time.monotonic()
        application = sqlite3.connect(db, timeout=5)
        application.execute("UPDATE task_queue SET priority = 9")
        application.commit()
        application.close()
        require(time.monotonic() - started < 2.0, "a writer had to wait for the slow reader")
        out, _ = reader.communicate(timeout=30)
        same(reader.returncode, 0, "exit")
        same(out.count('"task":'), 3000, "findings")


def hot_journal() -> None:
    with Folder() as folder:
        db = folder.sqlite_tasks(5)
        script = (f"import sqlite3,os; c=sqlite3.connect({db!r},isolation_level=None); c.execute('PRAGMA cache_size=1');"
                  "c.execute('PRAGMA cache_spill=1'); c.execute('BEGIN IMMEDIATE');"
                  "c.execute(\"UPDATE task_queue SET data=hex(randomblob(4000))\"); os._exit(0)")
        subprocess.run(["python3", "-c", script], check=True)
        require(pathlib.Path(db + "-journal").exists(), "the crash should leave a journal")
        before = pathlib.Path(db).read_bytes()
        result = folder.taskctl(*listing(db))
        same(result.returncode, 11, f"exit ({result.stderr})")
        require("crash" in result.stderr, f"the error should say what it is: {result.stderr}")
        same(pathlib.Path(db).read_bytes(), before, "the file")


def dry_run_writes_nothing() -> None:
    with Folder() as folder:
        db = folder.sqlite_tasks(20)
        stat = os.stat(db)
        result = folder.taskctl("reconcile", "--db", db, "--now", NOW, "--max-age", "1", "--dry-run")
        same(result.returncode, 0, f"exit ({result.stderr})")
        same((os.stat(db).st_mtime_ns, os.stat(db).st_size), (stat.st_mtime_ns, stat.st_size), "mtime and size")
        same(files(folder), ["tasks.db"], "files beside the database")


def read_only_file_and_folder() -> None:
    with Folder() as folder:
        db = folder.sqlite_tasks(5)
        os.chmod(db, 0o444)
        os.chmod(folder.path, 0o555)
        result = as_nobody(folder, *listing(db))
        same(result.returncode, 0, f"exit ({result.stderr})")
        written = as_nobody(folder, "reconcile", "--db", db, "--now", NOW, "--max-age", "1", "--yes", "--no-backup")
        same(written.returncode, 10, f"exit of a repair ({written.stderr})")
        os.chmod(folder.path, 0o755)
        same(files(folder), ["tasks.db"], "files beside the database")


def select_only_role() -> None:
    with Folder() as folder, Postgres() as server:
        server.tasks(5)
        role = server.name + "_reader"
        server.sql(f"CREATE ROLE {role} LOGIN PASSWORD 'x'; GRANT USAGE ON SCHEMA public TO {role};"
                   f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
        folder.env.update(PGUSER=role, PGPASSWORD="x")
        result = folder.taskctl(*listing(server.db))
        same(result.returncode, 0, f"exit ({result.stderr})")
        same(parse_json(result)["summary"]["stuck"], 5, "stuck")
        dry = folder.taskctl("reconcile", "--db", server.db, "--now", NOW, "--max-age", "1", "--dry-run")
        same(dry.returncode, 0, f"dry run ({dry.stderr})")
        written = folder.taskctl("reconcile", "--db", server.db, "--now", NOW, "--max-age", "1", "--yes", "--no-backup")
        same(written.returncode, 10, f"repair ({written.stderr})")
        same(server.sql("SELECT count(*) FROM task_queue WHERE status = 'running'"), "6", "running rows")
        server.sql(f"DROP OWNED BY {role}; DROP ROLE {role}")


def row_level_security_is_no_all_clear() -> None:
    with Folder() as folder, Postgres() as server:
        server.tasks(5)
        role = server.name + "_tenant"
        server.sql(f"CREATE ROLE {role} LOGIN PASSWORD 'x'; GRANT USAGE ON SCHEMA public TO {role};"
                   f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}; ALTER TABLE task_queue ENABLE ROW LEVEL SECURITY")
        folder.env.update(PGUSER=role, PGPASSWORD="x")
        result = folder.taskctl(*listing(server.db))
        same(result.returncode, 10, f"exit ({result.stderr})")
        accepted = folder.taskctl(*listing(server.db), "--accept-hazard", "rls")
        same(accepted.returncode, 0, f"accepted ({accepted.stderr})")
        same(parse_json(accepted)["summary"]["stuck"], 0, "rows that the role can see")
        server.sql(f"DROP OWNED BY {role}; DROP ROLE {role}")


main([idle_wal_file_of_another_user, wal_in_use_by_the_application, open_write_transaction_does_not_block_reading,
      slow_reader_holds_no_lock, hot_journal, dry_run_writes_nothing, read_only_file_and_folder, select_only_role,
      row_level_security_is_no_all_clear])
