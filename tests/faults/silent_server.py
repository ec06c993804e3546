#!/usr/bin/env python3
"""Servers that take what they are sent and say nothing: while connecting, and to pg_dump."""
import signal
import socket
import threading
import time

from harness import NOW, Folder, Postgres, main, repair, require, same
from proxy import Proxy


class SilentToTools(Proxy):
    """Lets taskctl through, but no more of pg_dump than it takes to connect, and then nobody else either."""

    def __init__(self) -> None:
        self._tools: set = set()
        self.silent = False
        self._over = threading.Event()
        super().__init__()

    def passes(self, source: socket.socket, target: socket.socket, data: bytes, outward: bool) -> bool:
        if outward and b"taskctl tool" in data:
            self._tools |= {source, target}
        if source in self._tools and b"SET " in data:
            self.silent = True
        if self.silent and (source in self._tools or b"application_name" in data):
            self._over.wait(120)
            return False
        return True

    def close(self) -> None:
        self._over.set()
        super().close()


def nobody_waits_long_for_a_server_that_says_nothing() -> None:
    with Folder() as folder, socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        db = f"host=127.0.0.1 port={port} dbname=x connect_timeout=3 sslmode=disable gssencmode=disable"
        started = time.monotonic()
        result = folder.taskctl("list-stuck", "--db", db, "--now", NOW)
        same(result.returncode, 8, f"exit ({result.stderr})")
        require(2 < time.monotonic() - started < 10, "the wait is the one that was asked for")
        patient = db.replace("connect_timeout=3", "connect_timeout=60")
        for arguments in (["list-stuck", "--db", patient, "--now", NOW], repair(patient, "--no-backup"), ["backup", "--db", patient]):
            run = folder.start(*arguments)
            time.sleep(0.7)
            require(run.poll() is None, "it ended before the signal")
            started = time.monotonic()
            run.send_signal(signal.SIGINT)
            _, err = run.communicate(timeout=30)
            same(run.returncode, 130, f"exit of {arguments[0]} ({err})")
            require(time.monotonic() - started < 2, f"{arguments[0]} should end at once ({err})")


def a_dump_that_nobody_answers_is_ended() -> None:
    with Folder() as folder, Postgres() as server:
        server.tasks(100)
        proxy = SilentToTools()
        started = time.monotonic()
        result = folder.taskctl("backup", "--db", proxy.db(server.name) + " connect_timeout=2", timeout=100)
        took = time.monotonic() - started
        require(proxy.silent, f"the proxy never saw pg_dump ({result.stderr})")
        same(result.returncode, 7, f"exit ({result.stderr})")
        require("'pg_dump' was ended: the server does not answer it any more" in result.stderr, f"why: {result.stderr}")
        require(15 <= took < 50, f"{took:.0f} s")
        same([str(p) for p in folder.path.rglob("*") if p.is_file()], [], "files left behind")
        proxy.close()


def a_server_at_work_is_waited_for() -> None:
    """Loading the copy takes the server 17 s in which psql hears nothing."""
    with Folder() as folder, Postgres() as server:
        server.sql("CREATE FUNCTION slow(text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN IF $1 = 't3' AND current_database() LIKE "
                   "'taskctl\\_verify\\_%' THEN PERFORM pg_sleep(17); END IF; RETURN true; END $$")
        server.tasks(5)
        server.sql("ALTER TABLE task_queue ADD CHECK (public.slow(task_id))")
        started = time.monotonic()
        result = folder.taskctl("backup", "--db", server.db, "--verify", "restore", timeout=100)
        same(result.returncode, 0, f"exit ({result.stderr})")
        require(time.monotonic() - started > 17, "it was not slow")


main([nobody_waits_long_for_a_server_that_says_nothing, a_dump_that_nobody_answers_is_ended, a_server_at_work_is_waited_for])
