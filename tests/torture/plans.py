"""T11, T34: saved plans that were changed, that are old, or that are for another database. All are refused, nothing is written."""
import collections
import dataclasses
import hashlib
import json
import os
import pathlib
import time

from campaign import NOW, Campaign, Options, repair, require, subject_of
from clocks import at_clock
from hostile import written
from oracle import Outcome, differences

STALE = 13


@dataclasses.dataclass
class Saved:
    """A plan in a file, and the database as it was when the plan was made."""
    subject: object
    path: pathlib.Path
    data: bytes
    before: dict

    @classmethod
    def of(cls, subject, *more: str) -> "Saved":
        path = subject.folder.path / "good.plan"
        path.unlink(missing_ok=True)
        outcome = subject.run(*repair(subject.db), "--save-plan", str(path), *more)
        require(outcome.code == 0, f"saving a plan: {outcome.stderr}")
        return cls(subject, path, path.read_bytes(), subject.snapshot())

    def arguments(self, db: str = "", path: str = "") -> list[str]:
        return ["reconcile", "--db", db or self.subject.db, "--plan", path or str(self.path), "--yes", "--no-backup"]

    def apply(self, data: bytes | None = None, db: str = "") -> Outcome:
        path = str(self.path) if data is None else written(self.subject.folder.path / "other.plan", data)
        return self.subject.run(*self.arguments(db, path))

    def refusal(self, outcome: Outcome, *codes: int) -> list[str]:
        """What is wrong with a refusal; rows and journal are read, which takes longer than the refusal."""
        wrong = [] if outcome.code in (codes or (STALE,)) else [f"T11 exit {outcome.code}: {outcome.stdout[-200:]!r} {outcome.stderr[-300:]!r}"]
        if not outcome.stderr.strip():
            wrong.append("T11 it refuses without a word")
        return wrong + [f"T11 a row was changed: {d}" for d in differences(self.before, self.subject.snapshot())] \
            + [f"T11 the journal has {e.key}" for e in self.subject.journal()[:3]]


def signed(lines: list[bytes]) -> bytes:
    """The file with a digest that is right again."""
    body = b"".join(line + b"\n" for line in lines)
    return body + json.dumps({"sha256": hashlib.sha256(body).hexdigest()}, separators=(",", ":")).encode() + b"\n"


def t11(options: Options):
    for mode in ("wal", "postgres"):
        with subject_of(mode) as subject:
            subject.tasks(options.scale(2, 20))
            yield edited(options, subject, Saved.of(subject))
        with subject_of(mode) as subject:
            subject.tasks(3)
            yield outdated(options, subject)


def edited(options: Options, subject, saved: Saved) -> Campaign:
    campaign = Campaign(f"T11 edited plans {subject.engine}", options, 100)
    rng, size = options.rng("T11 " + subject.engine), len(saved.data)
    near = set(range(24)) | set(range(size - 84, size))  # the name of the format, the digest
    step = 1 if options.long else max(1, size // (70 if subject.engine == "sqlite" else 30))
    places = sorted(near | set(range(rng.randrange(step), size, step)))
    codes: collections.Counter = collections.Counter()
    for number, place in enumerate(places):
        data = bytearray(saved.data)
        data[place] ^= 1 << rng.randrange(8)
        outcome = saved.apply(bytes(data))
        codes[outcome.code] += 1
        if outcome.code == STALE and number % 20 and outcome.stderr.strip():
            campaign.point(subject, f"byte {place} of {size}", [])  # rows are read at every 20th, and at the end
        else:
            campaign.point(subject, f"byte {place} of {size}", saved.refusal(outcome))
    lines = saved.data.split(b"\n")
    for what, data in {"empty": b"", "without its digest": b"\n".join(lines[:-2]) + b"\n", "without its last letter": saved.data[:-1],
                       "cut in two": saved.data[:size // 2], "with a blank more": saved.data + b" ", "with a line more": saved.data + b"{}\n",
                       "twice": saved.data * 2, "lines swapped": b"\n".join([lines[0], lines[2], lines[1], *lines[3:]])}.items():
        outcome = saved.apply(data)
        codes[outcome.code] += 1
        campaign.point(subject, what, saved.refusal(outcome))
    campaign.note(f"a plan of {size} bytes, exits " + " ".join(f"{c}:{n}" for c, n in sorted(codes.items())))
    outcome = saved.apply()
    campaign.check(subject, "as it was saved", outcome.code == 0 and bool(subject.journal()), f"T11 the good one: exit {outcome.code}: {outcome.stderr}")
    return campaign


def outdated(options: Options, subject) -> Campaign:
    campaign = Campaign(f"T11 outdated plans {subject.engine}", options, 12)
    saved = Saved.of(subject)
    lines = saved.data.split(b"\n")[:-2]
    require(signed(lines) == saved.data, "the digest is made as this test makes it")
    newer = signed([lines[0].replace(b"taskctl.plan/1", b"taskctl.plan/2"), *lines[1:]])
    outcome = saved.apply(newer)
    campaign.point(subject, "a newer format", saved.refusal(outcome) + ([] if "plan/2" in outcome.stderr or "format" in outcome.stderr else [outcome.stderr]))
    campaign.point(subject, "another command's", saved.refusal(subject.run("cancel", *saved.arguments()[1:]), 2))
    for offset in ("+61m", "+1y", "-2m", "-1y"):
        campaign.point(subject, f"clock {offset}", saved.refusal(at_clock(subject, offset, *saved.arguments())))
    short = Saved.of(subject, "--expires", "1s")
    time.sleep(1.2)
    campaign.point(subject, "after --expires 1s", short.refusal(short.apply()))
    schemas(campaign, subject)
    profiles(campaign, subject)
    saved = Saved.of(subject)
    first = saved.apply()
    require(first.code == 0 and subject.journal(), f"the good plan: {first.stderr}")
    entries, rows = len(subject.journal()), subject.snapshot()
    for what in ("applied twice", "applied a third time"):
        again = saved.apply()
        good = again.code == STALE and len(subject.journal()) == entries and subject.snapshot() == rows
        campaign.check(subject, what, good, f"T11 exit {again.code}: {again.stderr}")
    return campaign


def execute(subject, sql: str) -> None:
    if subject.engine == "postgres":
        subject.sql(sql)
        return
    connection = subject._connect()
    connection.executescript(sql)
    connection.commit()
    connection.close()


SCHEMAS = {
    "a column added": ("ALTER TABLE task_queue ADD COLUMN more text", "ALTER TABLE task_queue DROP COLUMN more", (STALE,)),
    "a column renamed": ("ALTER TABLE task_queue RENAME COLUMN result TO outcome", "ALTER TABLE task_queue RENAME COLUMN outcome TO result", (STALE, 11)),
    "a trigger added": {"sqlite": ("CREATE TRIGGER t AFTER UPDATE ON task_queue BEGIN SELECT 1; END", "DROP TRIGGER t", (STALE,)),
                        "postgres": ("CREATE FUNCTION t() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER t BEFORE UPDATE "
                                     "ON task_queue FOR EACH ROW EXECUTE FUNCTION t()", "DROP TRIGGER t ON task_queue; DROP FUNCTION t()", (STALE,))},
    "a type changed": {"postgres": ("ALTER TABLE task_queue ALTER priority TYPE bigint", "ALTER TABLE task_queue ALTER priority TYPE int", (STALE,)),
                       "sqlite": ("ALTER TABLE task_queue DROP COLUMN result; ALTER TABLE task_queue ADD COLUMN result BLOB",
                                  "ALTER TABLE task_queue DROP COLUMN result; ALTER TABLE task_queue ADD COLUMN result TEXT", (STALE,))},
    "a column dropped": ("ALTER TABLE task_queue DROP COLUMN result", "ALTER TABLE task_queue ADD COLUMN result text", (STALE, 11)),
}


def schemas(campaign: Campaign, subject) -> None:
    for what, change in SCHEMAS.items():
        there, back, codes = change[subject.engine] if isinstance(change, dict) else change
        saved = Saved.of(subject)
        execute(subject, there)
        outcome = saved.apply()
        execute(subject, back)
        campaign.point(subject, what, saved.refusal(outcome, *codes))


def profiles(campaign: Campaign, subject) -> None:
    text = subject.run("profile", "show", "task-queue").stdout
    path = subject.folder.path / "own.toml"
    for what, old, new in (("another threshold", 'reap = "1h"', 'reap = "2h"'), ("another name", 'name = "task-queue"', 'name = "mine"'),
                           ("a comment", "", "\n# nothing\n")):
        flat = "\n".join(" ".join(line.split()) if "=" in line and '"""' not in line else line for line in text.splitlines())
        require(old in flat, f"the profile has {old}")
        path.write_text(flat, encoding="utf-8")
        saved = Saved.of(subject, "--profile", str(path))
        path.write_text(flat.replace(old, new, 1) if old else flat + new, encoding="utf-8")
        outcome = subject.run(*saved.arguments(), "--profile", str(path))
        campaign.point(subject, f"profile: {what}", saved.refusal(outcome))


def t34(options: Options):
    """Two databases with the same schema and the same rows: what was planned for one is not written to the other."""
    yield other_files(options)
    yield other_databases(options)


def other_files(options: Options) -> Campaign:
    campaign = Campaign("T34 wrong target sqlite", options, 4)
    for _ in range(options.scale(1, 10)):
        for mode in ("wal", "delete"):
            with subject_of(mode) as subject:
                subject.tasks(3)
                saved, place = Saved.of(subject), subject.path
                twin = place.with_name("tasks-twin.db")
                twin.write_bytes(place.read_bytes())
                campaign.point(subject, "a copy of the file", saved.refusal(saved.apply(db=str(twin))))
                place.rename(place.with_name("tasks-away.db"))
                twin.rename(place)
                campaign.point(subject, "another file at the same path", saved.refusal(saved.apply()))
                place.rename(twin)
                place.with_name("tasks-away.db").rename(place)
                link = subject.folder.path / "link.db"
                link.symlink_to(place)
                outcome = saved.apply(db=str(link))
                campaign.check(subject, "the same file by a link", outcome.code == 0, f"T34 exit {outcome.code}: {outcome.stderr}")
                subject.path = twin
                campaign.check(subject, "the twin", subject.snapshot() == saved.before, "T34 the twin was changed")
                run = subject_runs(subject, place)
                undone = subject.run("undo", run, "--db", str(twin), "--yes", "--no-backup")
                campaign.check(subject, "undo on the twin", undone.code not in (0, 70) and subject.snapshot() == saved.before,
                               f"T34 exit {undone.code}: {undone.stderr}")
    return campaign


def subject_runs(subject, path: pathlib.Path) -> str:
    here, subject.path = subject.path, path
    try:
        return subject.runs()[-1]
    finally:
        subject.path = here


def other_databases(options: Options) -> Campaign:
    campaign = Campaign("T34 wrong target postgres", options, 4)
    for _ in range(options.scale(1, 10)):
        with subject_of("postgres") as subject, subject_of("postgres") as twin:
            for one in (subject, twin):
                one.tasks(3)
            same = subject.snapshot()
            require(same == twin.snapshot(), "the rows are the same")
            saved = Saved.of(subject)
            campaign.point(twin, "another database", saved.refusal(saved.apply(db=twin.db)) + [f"T34 {d}" for d in differences(same, twin.snapshot())])
            name, other, admin = subject.database.name, twin.database.name, subject.database.admin
            rename = "; ".join(f"ALTER DATABASE {a} RENAME TO {b}" for a, b in ((name, name + "_x"), (other, name), (name + "_x", other)))
            for part in rename.split("; "):
                admin(part)
            campaign.point(subject, "another database of the same name", saved.refusal(saved.apply()))
            for part in rename.split("; "):
                admin(part)
            host = f"host=127.0.0.1 port={os.environ['PGPORT']} dbname={name}"
            require(os.environ["PGHOST"] != "127.0.0.1", "the server is reached in two ways")
            campaign.point(subject, "another way to the server", saved.refusal(saved.apply(db=host)))
            outcome = saved.apply()
            campaign.check(subject, "its own database", outcome.code == 0, f"T34 exit {outcome.code}: {outcome.stderr}")
            campaign.check(twin, "the twin", twin.snapshot() == same and not twin.journal(), "T34 the twin was changed")
    return campaign
