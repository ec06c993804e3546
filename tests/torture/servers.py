"""T6: the server process is ended, the server is restarted, and a standby takes over while a run goes on. T22: it is promoted."""
import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading
import time

from campaign import NOW, Campaign, Options, Scenario, UNGUARDED, repair, require, subject_of
from oracle import Outcome

STARTED = ("SELECT count(*) FROM taskctl.taskctl_changes c JOIN taskctl.taskctl_runs r ON r.id = c.run_id WHERE r.state = 'started'")


class Cluster:
    """A server of its own that may be stopped at any time; `of` is the server that it is a standby of."""

    def __init__(self, folder: pathlib.Path, name: str, of: "Cluster | None" = None) -> None:
        self.data, self.log = folder / name, folder / f"{name}.log"
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        config = subprocess.run([os.environ.get("PG_CONFIG", "pg_config"), "--bindir"], capture_output=True, text=True, check=True)
        self.bin = pathlib.Path(config.stdout.strip())
        if of is None:
            self.run("initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync", "-D", str(self.data))
        else:
            self.run("pg_basebackup", "-D", str(self.data), "-R", "-X", "stream", "-c", "fast", "--no-sync", "-d", of.text())
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as file:
            file.write(f"port = {self.port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\nfsync = off\n"
                       "max_connections = 50\nwal_keep_size = '256MB'\nwal_retrieve_retry_interval = '100ms'\n")
        self.start()

    def text(self) -> str:
        return f"host=127.0.0.1 port={self.port} user=postgres target_session_attrs=any"

    def start(self) -> None:
        self.run("pg_ctl", "-D", str(self.data), "-l", str(self.log), "-w", "start")

    def stop(self) -> None:
        """As a crash: nothing is written any more."""
        self.run("pg_ctl", "-D", str(self.data), "-m", "immediate", "-w", "stop")

    def restart(self) -> None:
        self.stop()
        self.start()

    def promote(self) -> None:
        self.run("pg_ctl", "-D", str(self.data), "-w", "promote")

    def sql(self, text: str, database: str = "postgres") -> str:
        result = subprocess.run(["psql", "-qXAt", "-v", "ON_ERROR_STOP=1", "-d", f"{self.text()} dbname={database}", "-c", text],
                                capture_output=True, text=True, check=False)
        require(result.returncode == 0, f"psql: {result.stderr}")
        return result.stdout.strip()

    def run(self, program: str, *arguments: str) -> None:
        """The server refuses to be root."""
        command = [str(self.bin / program), *arguments]
        if os.geteuid() == 0:
            command = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups", *command]
        with tempfile.TemporaryFile("w+") as said:  # a pipe would be held open by the server
            result = subprocess.run(command, stdout=said, stderr=said, stdin=subprocess.DEVNULL, timeout=90, check=False, cwd="/")
            said.seek(0)
            require(result.returncode == 0, f"{program}: {said.read()[-500:]}")


@contextlib.contextmanager
def clusters(standby: bool):
    """One server or two, which everything in this process talks to meanwhile: always to the one that can be written."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="taskctl-t6-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    before, made = dict(os.environ), []
    try:
        made.append(Cluster(folder, "first"))
        if standby:
            made.append(Cluster(folder, "second", made[0]))
        os.environ.update(PGHOST=",".join("127.0.0.1" for _ in made), PGPORT=",".join(str(c.port) for c in made), PGUSER="postgres",
                          PGTARGETSESSIONATTRS="read-write")
        yield made
    finally:
        os.environ.clear()
        os.environ.update(before)
        for cluster in made:
            subprocess.run(["sh", "-c", f"kill -QUIT $(head -n 1 {cluster.data}/postmaster.pid 2>/dev/null) 2>/dev/null"], check=False)
        time.sleep(0.3)
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def scenario_on(tasks: int):
    """A repair in batches of three, which pauses so that something can happen in between."""
    with subject_of("postgres") as subject:
        if "," in os.environ["PGHOST"]:
            subject.db = (f"host={os.environ['PGHOST']} port={os.environ['PGPORT']} user=postgres target_session_attrs=read-write "
                          f"dbname={subject.database.name}")
        scenario = Scenario(subject, "reconcile", tasks, 3)
        yield scenario


def begin(scenario: Scenario, changes: int, *more: str) -> subprocess.Popen:
    """Starts the run and returns when so many changes are committed."""
    subject = scenario.subject
    out = open(subject.folder.path / "out", "w+", encoding="utf-8")  # pylint: disable=consider-using-with
    run = subject.folder.start(*scenario.arguments(), "--sleep", "50ms", *more, stdout=out)
    run.out = out
    wait_for(run, subject, changes)
    return run


def wait_for(run: subprocess.Popen, subject, changes: int) -> None:
    until = time.monotonic() + 30
    while run.poll() is None and time.monotonic() < until:
        there = subject.sql("SELECT to_regclass('taskctl.taskctl_changes') IS NOT NULL") == "t"
        if there and int(subject.sql(STARTED)) >= changes:
            return
        time.sleep(0.02)
    require(False, f"the run did not commit {changes} changes: {run.poll()}")


def end(run: subprocess.Popen) -> Outcome:
    _, err = run.communicate(timeout=90)
    run.out.seek(0)
    with run.out:
        return Outcome(run.returncode, run.out.read(), err)


def expect(code: int, outcome: Outcome, *words: str) -> list[str]:
    wrong = [] if outcome.code == code else [f"exit {outcome.code}, expected {code}: {outcome.stderr[-500:]!r}"]
    return wrong + [f"it does not say '{word}': {outcome.stderr[-500:]!r}" for word in words if word not in outcome.stderr]


def t6_terminated(options: Options):
    """Ends the server process of the run, at a random time, once or again and again."""
    rng = options.rng("T6 terminate")
    with scenario_on(30) as scenario:
        campaign = Campaign("T6 the server process is ended", options, 4)
        subject = scenario.subject
        for _ in range(options.scale(4, 200)):
            subject.reset()
            run = begin(scenario, 3)
            ended, times = 0, rng.choice((1, 1, 3))
            for _ in range(times):
                time.sleep(rng.uniform(0, 0.15))
                ended += int(subject.database.admin("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = "
                                                    f"'{subject.database.name}' AND application_name LIKE 'taskctl %'"))
            outcome = end(run)
            wrong = expect(0, outcome, *["the connection was lost and made again"] if ended else [])
            campaign.point(subject, f"{ended} of {times} times", wrong + scenario.settle(outcome))
        yield campaign


def t6_restart(options: Options):
    with clusters(False) as (server,), scenario_on(30) as scenario:
        campaign = Campaign("T6 immediate restart of the server", options, 2)
        for _ in range(options.scale(2, 50)):
            scenario.subject.reset()
            run = begin(scenario, 6)
            server.restart()
            outcome = end(run)
            campaign.point(scenario.subject, "restart", expect(0, outcome, "made again") + scenario.settle(outcome))
        yield campaign


def t6_failover(options: Options):
    """A standby has everything (synchronous), and the run goes on there."""
    campaign = Campaign("T6 failover, nothing lost", options, 1)
    for _ in range(options.scale(1, 20)):
        with clusters(True) as (first, second), scenario_on(30) as scenario:
            first.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
            first.sql("ALTER SYSTEM SET synchronous_commit = 'remote_apply'")
            first.sql("SELECT pg_reload_conf()")
            run = begin(scenario, 6)
            first.stop()
            second.promote()
            outcome = end(run)
            campaign.point(scenario.subject, "failover", expect(0, outcome, "made again") + scenario.settle(outcome))
    yield campaign


def t6_late_standby(options: Options):
    """The standby that takes over lacks what was committed last: said, with the tasks, and resumed there."""
    campaign = Campaign("T6 failover, the newest lost", options, 1)
    for _ in range(options.scale(1, 20)):
        with clusters(True) as (first, second), scenario_on(120) as scenario:
            run = begin(scenario, 6)
            second.sql("ALTER SYSTEM SET primary_conninfo = ''")
            second.sql("SELECT pg_reload_conf()")
            while first.sql("SELECT count(*) FROM pg_stat_replication") != "0":
                time.sleep(0.02)
            wait_for(run, scenario.subject, int(scenario.subject.sql(STARTED)) + 3)
            first.stop()
            second.promote()
            outcome = end(run)
            campaign.point(scenario.subject, "failover", expect(9, outcome, "lacks the newest; missing: t", "taskctl resume 2")
                           + scenario.settle(outcome))
    yield campaign


def t6_standby_stays(options: Options):
    """Nobody promotes the standby: the run ends with what it has done, and writes nothing there."""
    campaign = Campaign("T6 only a standby is left", options, 1)
    for _ in range(options.scale(1, 20)):
        with clusters(True) as (first, second), scenario_on(30) as scenario:
            run = begin(scenario, 6, "--reconnect-wait", "2s")
            first.stop()
            outcome = end(run)
            second.promote()
            campaign.point(scenario.subject, "no failover", expect(3, outcome) + scenario.settle(outcome))
    yield campaign


def t22_promotion(options: Options):
    """A standby is promoted while commands use it: reading goes on, writing is refused until it is the primary."""
    rng = options.rng("T22 promotion")
    campaign = Campaign("T22 the standby is promoted", options, 6)
    refusals = 0
    for _ in range(options.scale(1, 20)):
        with clusters(True) as (first, second), subject_of("postgres") as subject:
            subject.tasks(600)
            subject.db = f"{second.text()} dbname={subject.database.name}"
            until = first.sql("SELECT pg_current_wal_lsn()")
            while second.sql(f"SELECT pg_last_wal_replay_lsn() >= '{until}'") != "t":
                time.sleep(0.02)
            promotion = threading.Timer(rng.uniform(0.0, 0.8), second.promote)
            code, rounds = 5, 0
            while code == 5:
                if rounds == 1:
                    promotion.start()
                promoted, rounds = rounds > 0 and not promotion.is_alive(), rounds + 1
                listed = subject.run("list-stuck", "--db", subject.db, "--now", NOW, "--max-age", "1", "--output", "ids")
                campaign.point(subject, f"list-stuck, promoted={promoted}", expect(0, listed) + ([] if len(listed.stdout.splitlines()) == 600 else
                                                                                       ["T22 not every task is listed"]))
                campaign.point(subject, f"dry run, promoted={promoted}", expect(0, subject.run(*repair(subject.db), "--dry-run")))
                written = subject.run(*repair(subject.db), *UNGUARDED)
                code, refusals = written.code, refusals + (written.code == 5)
                campaign.point(subject, f"reconcile, promoted={promoted}", [] if code == 5 and not promoted else expect(0, written))
            promotion.join()
            done = second.sql("SELECT count(*) FROM task_queue WHERE status = 'failed'", subject.database.name)
            campaign.check(subject, "afterwards", done == "600", f"T22 {done} tasks were repaired")
    campaign.note(f"{refusals} writes refused")
    yield campaign
