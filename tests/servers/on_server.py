#!/usr/bin/env python3
"""Runs a program against a PostgreSQL server of another major version: on_server.py VERSION PROGRAM [ARGUMENT…].

The server comes from build/real (tests/real/setup.sh), lives in a folder of its own, and is gone afterwards. The
program finds it by PGHOST, PGPORT, PGUSER and PGPASSWORD, as it finds the one of pg_virtualenv.
"""
import contextlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile

INSTALLED = pathlib.Path(os.environ["TASKCTL_SOURCE"]) / "build" / "real" / "node_modules"
PASSWORD = "servers"


def as_server(*command: str, log: pathlib.Path) -> None:
    """The server refuses to be root."""
    if os.geteuid() == 0:
        command = ("setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups", *command)
    with open(log, "a+", encoding="utf-8") as said:  # a pipe would be held open by the server
        code = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, timeout=90, check=False, cwd="/").returncode
    if code:
        sys.exit(f"{command} ended with {code}: {log.read_text(encoding='utf-8')[-2000:]}")


def unpack(version: str, to: pathlib.Path) -> pathlib.Path:
    """A copy, because the user 'postgres' may not read the checkout; npm packages have no links, their list is beside them."""
    package = INSTALLED / f"postgresql-{version}" / "native"
    if not package.is_dir():
        sys.exit(f"there is no PostgreSQL {version} in {INSTALLED}: run tests/real/setup.sh")
    native = to / "native"
    shutil.copytree(package, native, symlinks=True)
    for link in json.loads((native / "pg-symlinks.json").read_text(encoding="utf-8")):
        target = to / link["target"]
        if not target.is_symlink() and not target.exists():
            target.symlink_to(os.path.relpath(to / link["source"], target.parent))
    for path in [to, *to.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
    return native / "bin"


def memory() -> str | None:
    """Where hundreds of databases are made and dropped without a disk; None: there is not enough of it, or programs may not run there."""
    try:
        free = os.statvfs("/dev/shm")
    except OSError:
        return None
    if free.f_flag & os.ST_NOEXEC:
        return None
    return "/dev/shm" if free.f_bavail * free.f_frsize > 2 << 30 else None


@contextlib.contextmanager
def server(version: str):
    """The environment that leads to it."""
    with tempfile.TemporaryDirectory(prefix="taskctl-server-", dir=memory()) as name:
        folder = pathlib.Path(name)
        programs = unpack(version, folder / "package")
        folder.chmod(0o755)
        home, log, secret = folder / "home", folder / "log", folder / "secret"
        home.mkdir()
        secret.write_text(PASSWORD, encoding="utf-8")
        if os.geteuid() == 0:
            for path in (home, secret):
                shutil.chown(path, "postgres", "postgres")
        as_server(str(programs / "initdb"), "-D", f"{home}/data", "-U", "postgres", "-A", "scram-sha-256", "--pwfile", str(secret),
                  "-E", "UTF8", "--no-sync", log=log)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        with open(home / "data" / "postgresql.conf", "a", encoding="utf-8") as file:
            file.write(f"port = {port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\nfsync = off\n")
        as_server(str(programs / "pg_ctl"), "-D", f"{home}/data", "-l", f"{home}/server.log", "-w", "start", log=log)
        try:
            yield dict(os.environ, PGHOST="127.0.0.1", PGPORT=str(port), PGUSER="postgres", PGPASSWORD=PASSWORD, PGDATABASE="postgres")
        finally:
            as_server(str(programs / "pg_ctl"), "-D", f"{home}/data", "-m", "immediate", "-w", "stop", log=log)


def main() -> int:
    version, *command = sys.argv[1:]
    with server(version) as environment:
        found = subprocess.run(["psql", "-qXAtc", "SHOW server_version_num"], env=environment, capture_output=True, text=True, check=True)
        if not found.stdout.startswith(version):
            sys.exit(f"the server is {found.stdout.strip()}, not {version}")
        return subprocess.run(command, env=environment, check=False).returncode


sys.exit(main())
