#!/usr/bin/env python3
"""PgBouncer between taskctl and the server: session pooling works, transaction and statement pooling are refused."""
import contextlib
import os
import pathlib
import random
import shutil
import socket
import subprocess
import time

from harness import NOW, Folder, Postgres, main, parse_json, repair, require, same


def free_port() -> int:
    """Below those that the system gives to outgoing connections: nobody takes it before PgBouncer does."""
    for _ in range(100):
        port = random.randrange(15_000, 32_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise OSError("no port is free")


@contextlib.contextmanager
def pool(folder: Folder, mode: str, server: Postgres, size: int = 20):
    """A PgBouncer that lets everybody in; gives the connection string through it."""
    program = shutil.which("pgbouncer", path=os.environ["PATH"] + ":/usr/sbin")
    require(program is not None, "pgbouncer is missing: install the package of that name (scripts/test does)")
    port = free_port()
    place = folder.path / f"pool-{mode}-{size}"
    place.mkdir()
    os.chmod(folder.path, 0o755)
    upstream = f"host={os.environ['PGHOST']} port={os.environ['PGPORT']} user={os.environ['PGUSER']}"
    if "PGPASSWORD" in os.environ:
        upstream += f" password={os.environ['PGPASSWORD']}"
    (place / "pgbouncer.ini").write_text(
        f"[databases]\n{server.name} = {upstream} dbname={server.name}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n"
        f"unix_socket_dir =\nauth_type = any\npool_mode = {mode}\ndefault_pool_size = {size}\nlogfile = {place}/log\n", encoding="utf-8")
    command = [program, "-q", str(place / "pgbouncer.ini")]
    if os.geteuid() == 0:
        for path in (place, place / "pgbouncer.ini"):
            shutil.chown(path, "postgres")
        command = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups", *command]
    said = place / "said"
    with open(said, "w", encoding="utf-8") as errors, subprocess.Popen(command, stdout=errors, stderr=errors, cwd="/") as process:
        try:
            wait_for_port(port, process, said)
            yield f"host=127.0.0.1 port={port} user=pool dbname={server.name}"
        finally:
            process.terminate()
            process.wait(timeout=20)


def wait_for_port(port: int, process: subprocess.Popen, said: pathlib.Path) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        require(process.poll() is None, f"pgbouncer ended: {said.read_text(encoding='utf-8')[-500:]}")
        time.sleep(0.05)
    require(False, "pgbouncer does not listen after 10 s")


def nothing_written(server: Postgres) -> None:
    same(server.sql("SELECT count(*) FROM task_queue WHERE status = 'running'"), "6", "untouched tasks")
    same(server.sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'taskctl'"), "0", "journals")


def transaction_pooling_is_refused() -> None:
    with Folder() as folder, Postgres() as server:
        server.tasks(5)
        with pool(folder, "transaction", server) as db:
            for _ in range(2):  # the second one gets the server process of the first
                listed = folder.taskctl("list-stuck", "--db", db, "--now", NOW, "--output", "json")
                same(listed.returncode, 0, f"listing ({listed.stderr})")
                same(parse_json(listed)["summary"]["stuck"], 5, "stuck")
            same(folder.taskctl("reconcile", "--dry-run", "--max-age", "1", "--db", db, "--now", NOW).returncode, 0, "a dry run")
            for command in (repair(db, "--no-backup"), ["cancel", "t1", "--db", db, "--now", NOW, "--force", "--yes", "--no-backup"],
                            ["guard", "install", "--yes", "--db", db]):
                refused = folder.taskctl(*command)
                same(refused.returncode, 5, f"{command[0]} ({refused.stderr})")
                require("(transaction pooling)" in refused.stderr and "session mode" in refused.stderr, f"why: {refused.stderr}")
            nothing_written(server)


def a_pool_with_idle_sessions_is_found_out() -> None:
    """Three server processes lie idle in the pool: any of them may serve the next transaction."""
    with Folder() as folder, Postgres() as server:
        server.tasks(5)
        with pool(folder, "transaction", server) as db:
            others = [subprocess.Popen(["psql", "-qX", "-d", db], stdin=subprocess.PIPE, text=True, stdout=subprocess.DEVNULL) for _ in range(3)]
            for other in others:
                other.stdin.write("BEGIN; SELECT 1;\n")
                other.stdin.flush()
            busy = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{server.name}' AND state = 'idle in transaction'"
            while server.admin(busy) != "3":
                time.sleep(0.02)
            for other in others:
                other.communicate("COMMIT;\n", timeout=20)
            refused = folder.taskctl(*repair(db, "--no-backup"))
            same(refused.returncode, 5, f"exit ({refused.stderr})")
            nothing_written(server)


def statement_pooling_is_refused() -> None:
    with Folder() as folder, Postgres() as server:
        server.tasks(5)
        with pool(folder, "statement", server) as db:
            for command in (["list-stuck", "--db", db, "--now", NOW], repair(db, "--no-backup")):
                refused = folder.taskctl(*command)
                same(refused.returncode, 8, f"{command[0]} ({refused.stderr})")
                require("statement pooling" in refused.stderr, f"why: {refused.stderr}")
            nothing_written(server)


def session_pooling_works() -> None:
    with Folder() as folder, Postgres() as server:
        server.tasks(5)
        for size in (20, 1):  # of one session, the question whether it is shared cannot be asked
            with pool(folder, "session", server, size) as db:
                done = folder.taskctl(*repair(db, "--no-backup", "--batch-size", "2", "--output", "json"))
                same(done.returncode, 0, f"repair ({done.stderr})")
                same(parse_json(done)["result"]["applied"], 5, "applied")
                undone = folder.taskctl("undo", "--last", "--db", db, "--yes", "--no-backup")
                same(undone.returncode, 0, f"undo ({undone.stderr})")


def a_session_that_the_pool_drops_is_made_again() -> None:
    with Folder() as folder, Postgres() as server:
        server.tasks(12)
        with pool(folder, "session", server) as db:
            run = folder.start(*repair(db, "--no-backup", "--quiet", "--batch-size", "3", "--sleep", "100ms"))
            begun = "SELECT count(*) FROM taskctl.taskctl_changes"
            while server.sql("SELECT to_regclass('taskctl.taskctl_changes') IS NULL") == "t" or server.sql(begun) == "0":
                require(run.poll() is None, "the run ended early")
                time.sleep(0.02)
            server.admin(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{server.name}'")
            _, err = run.communicate(timeout=60)
            same(run.returncode, 0, f"exit ({err})")
            same(server.sql("SELECT count(*) FROM task_queue WHERE status = 'failed'"), "12", "repaired")


main([transaction_pooling_is_refused, a_pool_with_idle_sessions_is_found_out, statement_pooling_is_refused, session_pooling_works,
      a_session_that_the_pool_drops_is_made_again])
