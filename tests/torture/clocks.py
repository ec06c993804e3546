"""T24, T25: wrong clocks, and times in every encoding and zone, both nights of a change of summer time included."""
import datetime
import functools
import json
import pathlib
import re
import subprocess
import zoneinfo

from campaign import Campaign, Options, UNGUARDED, require, subject_of
from oracle import Outcome, differences
from subjects import TASKCTL

UTC = datetime.timezone.utc
MINUTE = datetime.timedelta(minutes=1)
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "y": 365 * 86400}


def at_clock(subject, offset: str, *arguments: str, under: tuple = ()) -> Outcome:
    """taskctl with a machine clock that is wrong by '+61m' or '-1y', started by the command `under`."""
    number, unit = re.fullmatch(r"([+-]\d+)([smhdy])", offset).groups()
    libraries = list(pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    require(len(libraries) == 1, "the package faketime is not installed")
    # Without the program faketime: killed, it leaves a semaphore that stops the next one of the same process id.
    # Not the monotonic clock: that one is never set.
    clock = [f"LD_PRELOAD={libraries[0]}", f"FAKETIME={int(number) * UNITS[unit]:+d}s", "FAKETIME_DISABLE_SHM=1", "FAKETIME_DONT_FAKE_MONOTONIC=1"]
    result = subprocess.run([*under, "env", *clock, TASKCTL, *arguments], env=subject.folder.env, cwd=subject.folder.path,
                            capture_output=True, text=True, timeout=60, check=False)
    for path in pathlib.Path("/dev/shm").glob("*faketime_*"):  # a process that is killed leaves them, and its id comes again
        if not pathlib.Path("/proc", path.name.rpartition("_")[2]).exists():
            path.unlink(missing_ok=True)
    return Outcome(result.returncode, result.stdout, result.stderr)


# Started this long ago, by the right clock; and whether its end is set although it says that it is running.
AGES = {"t0": ("-5m", False), "t1": ("-50m", False), "t2": ("-61m", False), "t3": ("-7h", False), "t4": ("-3d", False), "t5": ("-400d", False),
        "t6": ("-30m", True), "t7": ("-2d", True), "future": ("+2h", False), "healthy": ("-10s", False)}
OFFSETS = ("-1y", "-30d", "-8h", "-1h", "-3m", "+0s", "+3m", "+1h", "+8h", "+30d", "+1y")


def aged(subject) -> None:
    """Times as the application writes them: its own wall clock, with 'T'."""
    subject.tasks(8)
    if subject.engine == "postgres":
        subject.sql("UPDATE task_queue SET task_id = 'future' WHERE task_id = 'healthy'; INSERT INTO task_queue (task_id, task_type, status) VALUES "
                    "('healthy', 'publish', 'running')")
    now = datetime.datetime.now(zoneinfo.ZoneInfo("Asia/Shanghai"))
    lines = []
    for task, (age, ended) in AGES.items():
        began = now + datetime.timedelta(seconds=int(age[:-1]) * UNITS[age[-1]])
        text = began.strftime("%Y-%m-%dT%H:%M:%S.%f")
        end = f"'{(began + 2 * MINUTE).strftime('%Y-%m-%dT%H:%M:%S.%f')}'" if ended else "NULL"
        if subject.engine == "sqlite" and task == "future":
            lines.append("INSERT INTO task_queue (task_id, task_type, status) VALUES ('future', 'publish', 'running')")
        lines.append(f"UPDATE task_queue SET created_at = '{text}', started_at = '{text}', completed_at = {end}, updated_at = NULL WHERE task_id = '{task}'")
    if subject.engine == "postgres":
        subject.sql(";".join(lines))
    else:
        connection = subject._connect()
        connection.executescript(";".join(lines))
        connection.close()
    subject.save()


def found(outcome: Outcome) -> dict:
    """Task → rule."""
    require(outcome.code == 0, f"T24 list-stuck ends with {outcome.code}: {outcome.stderr}")
    return {f["task"]["id"]: f["rule"] for f in outcome.document["findings"]}


def t24(options: Options):
    yield server_clock(options)
    for mode in ("wal", "delete"):
        yield machine_clock(options, mode)
    yield backup_names(options)


def server_clock(options: Options) -> Campaign:
    """The client's clock has no say: the same findings, the same repairs."""
    with subject_of("postgres") as subject:
        aged(subject)
        listing = ["list-stuck", "--db", subject.db, "--output", "json"]
        repair = ["reconcile", "--db", subject.db, *UNGUARDED]
        right = found(subject.run(*listing))
        require(right == {"t2": "overdue", "t3": "overdue", "t4": "overdue", "t5": "overdue", "t6": "contradiction", "t7": "contradiction",
                          "future": "clock"}, f"what is stuck: {right}")
        campaign = Campaign("T24 client clocks postgres", options, 11)
        wanted = set(right) - {"future"}
        for offset in OFFSETS * options.scale(1, 5):
            subject.reset()
            rules = found(at_clock(subject, offset, *listing))
            outcome = at_clock(subject, offset, *repair)
            changed = {entry.task.strip('"') for entry in subject.journal()}
            ended = {row["completed_at"] for row in subject.snapshot()["task_queue"].values() if row["task_id"] in ("t3", "t4")}
            wrong = [] if rules == right else [f"T24 found {rules}"]
            if outcome.code != 0 or changed != wanted:
                wrong.append(f"T24 exit {outcome.code}, changed {changed}: {outcome.stderr[-300:]!r}")
            wrong += [f"T24 written end {end}" for end in ended if not recent(end)]
            campaign.point(subject, f"clock {offset}", wrong)
        return campaign


def recent(text: str) -> bool:
    written = datetime.datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    return abs(datetime.datetime.now(UTC) - written) < 5 * MINUTE


def machine_clock(options: Options, mode: str) -> Campaign:
    """SQLite has the machine's clock only: one that is behind makes tasks look younger, or begun in the future; none of them is repaired."""
    with subject_of(mode) as subject:
        aged(subject)
        campaign = Campaign(f"T24 clocks sqlite/{mode}", options, 6)
        listing, repair = ["list-stuck", "--db", subject.db, "--output", "json"], ["reconcile", "--db", subject.db, *UNGUARDED]
        right = found(subject.run(*listing))
        before = subject.snapshot()
        for offset in [o for o in OFFSETS if o[0] == "-"] * options.scale(1, 5) + ["+0s"]:
            subject.reset()
            rules = found(at_clock(subject, offset, *listing))
            behind = -int(offset[:-1]) * UNITS[offset[-1]]
            later = {t for t, (age, _) in AGES.items() if int(age[:-1]) * UNITS[age[-1]] + behind > 60}
            outcome = at_clock(subject, offset, *repair)
            changed = {entry.task.strip('"') for entry in subject.journal()}
            wrong = [f"T24 {t} is stuck ({rules[t]}) by a clock that is behind, and not by a right one" for t, rule in rules.items()
                     if rule != "clock" and right.get(t) != rule]
            wrong += [f"T24 {t} begins in the future, and is {rules.get(t)}" for t in later if rules.get(t) != "clock"]
            wrong += [f"T24 repaired: {t}" for t in changed if t in later or t not in right or t == "future"]
            if outcome.code != 0 or offset == "-1y" and changed != {"t5"}:
                wrong.append(f"T24 exit {outcome.code}, changed {changed}: {outcome.stderr[-300:]!r}")
            rest = {t: {k: r for k, r in rows.items() if r["task_id"][1].decode() not in changed} for t, rows in before.items()}
            now = {t: {k: r for k, r in rows.items() if r["task_id"][1].decode() not in changed} for t, rows in subject.snapshot().items()}
            campaign.point(subject, f"clock {offset}", wrong + [f"T24 {d}" for d in differences(rest, now)])
        return campaign


def backup_names(options: Options) -> Campaign:
    """Names are never taken twice, and their order is that of the times in the manifests, whatever the clock does."""
    with subject_of("wal") as subject:
        subject.tasks(2)
        rng, copies = options.rng("T24 names"), subject.folder.path / "copies"
        campaign = Campaign("T24 backup names sqlite", options, 10)
        for number in range(options.scale(12, 200)):
            offset = rng.choice(OFFSETS + ("+0s", "+0s", "+0s"))
            kept = {p.name: p.read_bytes() for p in copies.glob("*")} if copies.exists() else {}
            made = at_clock(subject, offset, "backup", "--db", subject.db, "--backup-dir", str(copies))
            wrong = [] if made.code == 0 else [f"T24 exit {made.code}: {made.stderr}"]
            wrong += [f"T24 {name} is another" for name, data in kept.items() if not (copies / name).exists() or (copies / name).read_bytes() != data]
            manifests = [(json.loads(p.read_text(encoding="utf-8"))["created"], p.name) for p in copies.glob("*.manifest.json")]
            if len(manifests) != number + 1:
                wrong.append(f"T24 {len(manifests)} backups after {number + 1}")
            if (names := [name_order(name) for _, name in sorted(manifests)]) != sorted(names):
                wrong.append(f"T24 the order of the names is not that of the times: {sorted(manifests)}")
            campaign.point(subject, f"clock {offset}", wrong)
        return campaign


def name_order(name: str) -> tuple:
    stamp, number = re.search(r"_backup_(\d{8}_\d{6})(?:-(\d+))?\.", name).groups()
    return stamp, int(number or 1)


ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")


def wall_clock(instant: datetime.datetime, zone: zoneinfo.ZoneInfo) -> str:
    return instant.astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S")


# Encoding → the profile's words for it, the column's type in PostgreSQL, and what the application writes.
ENCODINGS = {
    "ISO Z": ('format = "text"\nzone = "in-text"', "text", lambda at, zone: at.strftime("%Y-%m-%dT%H:%M:%SZ")),
    "ISO offset": ('format = "text"\nzone = "in-text"', "text", lambda at, zone: at.astimezone(zone).isoformat()),
    "naive text": ('format = "text"\nzone = "{zone}"', "text", wall_clock),
    "naive timestamp": ('format = "naive"\nzone = "{zone}"', "timestamp", wall_clock),
    "timestamptz": ('format = "timestamptz"', "timestamptz", lambda at, zone: at.astimezone(zone).isoformat()),
    "epoch s": ('format = "unix-s"', "bigint", lambda at, zone: int(at.timestamp())),
    "epoch ms": ('format = "unix-ms"', "bigint", lambda at, zone: int(at.timestamp()) * 1000),
    "epoch us": ('format = "unix-us"', "bigint", lambda at, zone: int(at.timestamp()) * 1_000_000),
    "epoch ns": ('format = "unix-ns"', "bigint", lambda at, zone: int(at.timestamp()) * 1_000_000_000),
}
PROFILE = """format = 1
name = "times"
engines = ["{engine}"]
safety = "full"
[task]
table = "jobs"
key = ["id"]
status = "status"
[task.time]
started = "began"
[encoding.one]
{encoding}
[times.jobs]
began = "one"
[[class]]
column = "status"
active = ["running"]
failed = ["broken"]
[defaults]
overdue = "failed"
[[outcome.failed.op]]
do = "update"
set = {{ status = "'broken'" }}
"""


@functools.cache
def changes_of(zone: str) -> list[datetime.datetime]:
    """The instants in 2025 at which the zone's clocks are changed; where there are none, those of Berlin."""
    info, first = zoneinfo.ZoneInfo(zone), datetime.datetime(2025, 1, 1, tzinfo=UTC)
    hours = [first + datetime.timedelta(minutes=30 * n) for n in range(365 * 48)]
    changes = [later for at, later in zip(hours, hours[1:]) if at.astimezone(info).utcoffset() != later.astimezone(info).utcoffset()]
    return changes or changes_of("Europe/Berlin")


def meant(text: str, zone: zoneinfo.ZoneInfo, change: datetime.datetime) -> datetime.datetime:
    """A wall clock, as docs/profiles.md promises: of two instants the later one, in the hour that is left out the moment of the change."""
    naive = datetime.datetime.fromisoformat(text)
    instant = naive.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return instant if instant.astimezone(zone).replace(tzinfo=None) == naive else change


def rows_of(name: str, zone: str, around: int) -> list[tuple]:
    """Id, what the column holds, and the instant: a row per minute around both changes, and the minutes that are no minutes."""
    info, rows = zoneinfo.ZoneInfo(zone), []
    for change in changes_of(zone):
        before, after = ((change + n * MINUTE).astimezone(info) for n in (-1, 0))
        for n in range(-around, around):
            at = change + n * MINUTE
            text = ENCODINGS[name][2](at, info)
            rows.append((len(rows), text, meant(text, info, change) if name.startswith("naive") else at))
            require(rows[-1][2] >= at, "a task may look younger than it is")
        skipped = (after.utcoffset() - before.utcoffset()) // MINUTE if name.startswith("naive") else 0
        for n in range(skipped):
            text = (after.replace(tzinfo=None) - (n + 1) * MINUTE).isoformat()
            rows.append((len(rows), text, meant(text, info, change)))
            require(rows[-1][2] == change, f"{text} is left out in {zone}")
    return rows


def t25(options: Options):
    for mode in ("delete", "postgres"):
        with subject_of(mode) as subject:
            rng, minutes = options.rng("T25 " + mode), 0
            names = [n for n in ENCODINGS if mode == "postgres" or n not in ("naive timestamp", "timestamptz")]
            # Where the zone is not in the value, every one is tried; in the short form on one engine only.
            points = [(name, zone) for name in names for zone in (
                ZONES if options.long or mode == "delete" and name in ("naive text", "ISO offset") else rng.sample(ZONES, 1))]
            points += [("naive timestamp", zone) for zone in ("Australia/Lord_Howe", "Europe/Berlin") if "naive timestamp" in names]
            campaign = Campaign(f"T25 times {subject.engine}", options, 9)
            profile = subject.folder.path / "times.toml"
            for name, zone in points:
                profile.write_text(PROFILE.format(engine=subject.engine, encoding=ENCODINGS[name][0].format(zone=zone)), encoding="utf-8")
                rows = rows_of(name, zone, options.scale(150, 720))
                fill(subject, ENCODINGS[name][1], rows)
                wrong = misread(subject, str(profile), rows)
                for _ in range(options.scale(2, 40)):
                    wrong += misjudged(subject, str(profile), rows, rng.choice(changes_of(zone)) + rng.randrange(-140, 140) * MINUTE)
                minutes += len(rows)
                campaign.point(subject, f"{name}, {zone}", wrong[:5])
            campaign.note(f"{minutes} rows")
            yield campaign


def fill(subject, kind: str, rows: list[tuple]) -> None:
    if subject.engine == "sqlite":
        connection = subject._connect()
        connection.executescript("DROP TABLE IF EXISTS jobs; CREATE TABLE jobs (id INTEGER PRIMARY KEY, status TEXT, began)")
        connection.executemany("INSERT INTO jobs VALUES (?, 'running', ?)", [row[:2] for row in rows])
        connection.commit()
        connection.close()
    else:
        subject.sql(f"DROP TABLE IF EXISTS jobs; CREATE TABLE jobs (id int PRIMARY KEY, status text, began {kind})")
        for first in range(0, len(rows), 1000):
            subject.sql("INSERT INTO jobs VALUES " + ",".join(f"({n}, 'running', '{text}')" for n, text, _ in rows[first:first + 1000]))


def listed(subject, profile: str, now: datetime.datetime, max_age: str) -> list[dict]:
    outcome = subject.run("list-stuck", "--db", subject.db, "--profile", profile, "--now", now.isoformat(), "--max-age", max_age, "--output", "json")
    require(outcome.code == 0, f"T25 list-stuck ends with {outcome.code}: {outcome.stderr}")
    return outcome.document["findings"]


def misread(subject, profile: str, rows: list[tuple]) -> list[str]:
    """Every row is listed, with the instant that is meant."""
    now = max(at for _, _, at in rows) + datetime.timedelta(days=2)
    seen = {int(f["task"]["id"]): (f["rule"], f["task"]["started_at"]) for f in listed(subject, profile, now, "1h")}
    return [f"T25 row {n} {text!r}: {seen.get(n)}, not {at}" for n, text, at in rows if seen.get(n) != ("overdue", at.strftime("%Y-%m-%dT%H:%M:%SZ"))]


def misjudged(subject, profile: str, rows: list[tuple], cut: datetime.datetime) -> list[str]:
    """At a present from which `cut` and half a minute are exactly an hour ago: stuck is what began before."""
    cut += MINUTE / 2
    stuck = {int(f["task"]["id"]) for f in listed(subject, profile, cut + 60 * MINUTE, "1h") if f["rule"] == "overdue"}
    return [f"T25 row {n} {text!r} is {'not ' if n not in stuck else ''}stuck at {cut + 60 * MINUTE}" for n, text, at in rows if (n in stuck) != (at < cut)]
