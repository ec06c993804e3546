"""T26, T31, T36: signals at random times, hostile arguments and files, planted passwords."""
import collections
import os
import pathlib
import signal
import subprocess
import time

from campaign import NOW, Campaign, Options, Scenario, UNGUARDED, repair, require, subject_of
from oracle import Outcome

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


def t26(options: Options):
    for mode in ("wal", "delete", "postgres"):
        with subject_of(mode) as subject:
            rng = options.rng("T26 " + mode)
            scenario = Scenario(subject, "reconcile", options.scale(100, 2000), 5)
            campaign = Campaign(f"T26 signals {subject.engine}/{mode}", options, 3)
            codes: collections.Counter = collections.Counter()
            slowest = 0.0
            for _ in range(options.scale(3, 500)):
                subject.reset()
                number = rng.choice(SIGNALS)
                outcome, took = signalled(subject, scenario.arguments(), number, rng.uniform(0.05, 0.5))
                codes[outcome.code] += 1
                slowest = max(slowest, took)
                wrong = scenario.settle(outcome)
                if outcome.code not in (0, 128 + number):
                    wrong.append(f"T26 signal {number} ends with {outcome.code}: {outcome.stderr[-300:]!r}")
                campaign.point(subject, f"signal {number}", wrong)
            campaign.note(f"slowest end {slowest:.1f} s, exits " + " ".join(f"{c}:{n}" for c, n in sorted(codes.items())))
            yield campaign


def signalled(subject, arguments: list[str], number: int, seconds: float) -> tuple[Outcome, float]:
    with open(subject.folder.path / "out", "w+", encoding="utf-8") as out:
        process = subject.folder.start(*arguments, stdout=out)
        time.sleep(seconds)
        started = time.monotonic()
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
        out.seek(0)
        return Outcome(process.returncode, out.read(), err), time.monotonic() - started


PIECES = ["1", "0", "9999999999999999999", "-", "+", ".", "e", "h", "d", "m", "s", "ms", " ", "T", "Z", ":", "2025-12-19", "23:59:60", "25:00",
          "\x01", "é", "名", "%", "'", '"', "[", "]", "{", "}", "=", "\n", "nan", "inf", "0x10", "--", "null", "true", "\\", "\\u0000"]


def t31(options: Options):
    """Whatever is given to it, it ends with a code of its table, within seconds, and changes nothing."""
    with subject_of("wal") as subject:
        rng = options.rng("T31")
        subject.tasks(5)
        before = subject.snapshot()
        profile = subject.run("profile", "show", "task-queue").stdout
        plan = saved_plan(subject)
        kinds = {"duration": 25, "timestamp": 25, "id": 15, "profile": 25, "config": 25, "plan": 25 if plan else 0}
        for kind, short in kinds.items():
            if not short:
                continue
            campaign = Campaign(f"T31 {kind}", options, short)
            codes: collections.Counter = collections.Counter()
            for number in range(options.scale(short, 20_000)):
                # The first one is right: otherwise nobody knows whether what is mutated ever was.
                arguments, what = attempt(kind, subject, rng, profile, plan, number == 0)
                outcome = subject.run(*arguments, timeout=30)
                codes[outcome.code] += 1
                wrong = []
                if outcome.code < 0 or outcome.code not in (0, 1, 2, 3, 5, 8, 10, 11, 13) or kind == "plan" and outcome.code == 0:
                    wrong.append(f"T31 exit {outcome.code}: {outcome.stderr[-300:]!r}")
                if outcome.code and not outcome.stderr.strip() and not outcome.stdout.strip():
                    wrong.append("T31 it ends without a word")
                campaign.point(subject, repr(what), wrong)
            campaign.check(subject, "the rows", subject.snapshot() == before, "T31 rows were changed")
            if kind not in ("id", "plan"):
                campaign.check(subject, "exit codes", codes[0] > 0, "T31 nothing was accepted: what is mutated was never right")
            campaign.note("exits " + " ".join(f"{c}:{n}" for c, n in sorted(codes.items())))
            yield campaign


def saved_plan(subject) -> bytes:
    path = subject.folder.path / "good.plan"
    if "--save-plan" not in subject.run("reconcile", "--help").stdout:
        return b""
    outcome = subject.run(*repair(subject.db), "--save-plan", str(path))
    require(outcome.code == 0, f"saving a plan: {outcome.stderr}")
    return path.read_bytes()


def attempt(kind: str, subject, rng, profile: str, plan: bytes, right: bool) -> tuple[list[str], object]:
    junk = "".join(rng.choice(PIECES) for _ in range(rng.randint(1, 6)))
    db, folder = subject.db, subject.folder.path
    if kind == "duration":
        if rng.random() < 0.5:
            junk = "".join(f"{rng.choice([1, 7, 90, 10**9])}{rng.choice(['h', 'm', 's', 'd', 'ms', 'w', ''])}" for _ in range(rng.randint(1, 3)))
        junk = "1h30m" if right else junk
        return ["list-stuck", "--db", db, "--max-age=" + junk], junk
    if kind == "timestamp":
        if rng.random() < 0.5:
            junk = f"202{rng.randrange(10)}-{rng.randint(1, 13):02d}-{rng.randint(27, 32):02d}T{rng.randint(0, 25):02d}:00:00{rng.choice(['Z', '+08:00', '', '-25:00'])}"
        junk = NOW if right else junk
        return ["list-stuck", "--db", db, "--now=" + junk], junk
    if kind == "id":
        return ["show", "--db", db, "--now", NOW, "--", junk], junk
    if kind == "profile":
        return ["reconcile", "--dry-run", "--db", db, "--now", NOW, "--profile", written(folder / "fuzz.toml", profile.encode() if right else damaged(profile.encode(), rng))], "profile"
    if kind == "config":
        good = f'[target.x]\ndb = "{db}"\nmax_changes = 5\nprotected = true\n'.encode()
        path = written(folder / "fuzz-config.toml", good if right else damaged(good, rng))
        return ["list-stuck", "--config", path, "--target", "x", "--now", NOW], "config"
    data = bytearray(plan)
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return ["reconcile", "--db", db, "--plan", written(folder / "fuzz.plan", bytes(data)), "--yes", "--no-backup"], "plan"


def damaged(data: bytes, rng) -> bytes:
    data = bytearray(data)
    for _ in range(rng.choice([1, 1, 3, 20])):
        place = rng.randrange(len(data))
        how = rng.randrange(4)
        if how == 0:
            data[place] = rng.randrange(256)
        elif how == 1:
            del data[place:place + rng.randint(1, 40)]
        elif how == 2:
            data[place:place] = rng.choice(PIECES).encode()
        else:
            data[place:place] = data[place // 2:place // 2 + 60]
        if not data:
            data = bytearray(b"x")
    return bytes(data)


def written(path: pathlib.Path, data: bytes) -> str:
    path.write_bytes(data)
    path.chmod(0o600)
    return str(path)


def t36(options: Options):
    """A planted password is in no output, journal, file that is left, or command line of any process."""
    secret = "Geheim-5f1c-planted"
    with subject_of("postgres") as subject:
        subject.tasks(20)
        admin, name = subject.database.admin, subject.database.name
        admin(f"CREATE ROLE {name}_o LOGIN SUPERUSER PASSWORD '{secret}'")
        campaign = Campaign("T36 planted password postgres", options, 12)
        place = f"host={os.environ['PGHOST']} port={os.environ['PGPORT']} dbname={name} user={name}_o"
        file = written(subject.folder.path.parent / f"{name}.pw", secret.encode())
        wrong_file = written(subject.folder.path.parent / f"{name}.no", (secret + "x").encode())
        subject.folder.env.pop("PGPASSWORD", None)
        try:
            for way in ([], ["--password-file", file], ["--password-file", wrong_file]):
                subject.folder.env["PGPASSWORD"] = secret
                for command in (["list-stuck"], repair(place)[:1] + repair(place)[3:] + ["--yes", "--output", "json"], ["undo", "--last", "--yes"],
                                ["history", "--output", "json"], ["config", "show"], ["backup"]):
                    leaks = watched(subject, [*command, "--db", place, *way], secret)
                    campaign.point(subject, " ".join(command + way), leaks)
            for db in (f"{place} password={secret}", f"postgresql://{name}_o:{secret}@{os.environ['PGHOST']}:{os.environ['PGPORT']}/{name}"):
                outcome = subject.run("list-stuck", "--db", db)
                campaign.check(subject, "on the command line", outcome.code == 2 and secret not in outcome.stdout + outcome.stderr,
                               f"T36 exit {outcome.code}: {outcome.stdout} {outcome.stderr}")
            dump = subprocess.run(["pg_dump", "-d", name, "--schema", "taskctl"], capture_output=True, text=True, check=True).stdout
            campaign.check(subject, "the journal", "taskctl_runs" in dump and secret not in dump, "T36 the journal has the password")
            left = [str(p) for p in subject.folder.path.rglob("*") if p.is_file() and secret.encode() in p.read_bytes()]
            campaign.check(subject, "files", not left, f"T36 {left} have the password")
        finally:
            os.unlink(file)
            os.unlink(wrong_file)
            subject.sql(f"DROP OWNED BY {name}_o CASCADE")
            admin(f"DROP ROLE {name}_o")
        yield campaign


def watched(subject, arguments: list[str], secret: str) -> list[str]:
    """Looks at the command line of the process and of all it starts while it runs."""
    process = subject.folder.start(*arguments)
    wrong = []
    while process.poll() is None:
        for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            try:
                if secret.encode() in path.read_bytes():
                    wrong.append(f"T36 {path}")
            except OSError:
                pass
        time.sleep(0.005)
    out, err = process.communicate()
    if secret in out + err:
        wrong.append(f"T36 printed: {out} {err}")
    return wrong
