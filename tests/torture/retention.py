"""T18: whatever the nights bring (failed backups, clocks that jump, two writers), the last verified backup survives."""
import collections
import json
import os
import pathlib
import random

from campaign import Campaign, Options, require, subject_of
from clocks import at_clock

KEEPING = (["--keep", "1"], ["--keep", "2"], ["--keep", "3", "--keep-within", "2d"], ["--keep-within", "1d"], ["--keep", "1", "--keep-within", "30d"])
# How a night goes: what is added to the command, and under what it runs.
NIGHTS = {"good": ([], ()), "restored": (["--verify", "restore"], ()), "unverified": (["--verify", "none"], ()),
          "no room": ([], ("prlimit", "--fsize=4096")), "killed": ([], ("timeout", "--signal=KILL", "0.02")), "no source": (["--db", "nothing.db"], ())}
FAILING = ("no room", "no source")


def t18(options: Options):
    for mode in ("wal", "delete", "postgres") if options.long else ("wal", "delete"):
        with subject_of(mode) as subject:
            yield nights(options, subject)
    for mode in ("wal", "postgres") if options.long else ("wal",):
        with subject_of(mode) as subject:
            yield two_writers(options, subject)


def copies_of(subject) -> pathlib.Path:
    return subject.folder.path / "copies"


def backups(subject) -> dict:
    """Name → (created, how it was verified), of those that have both files."""
    found = {}
    for manifest in copies_of(subject).glob("*.manifest.json"):
        if (copy := pathlib.Path(str(manifest).removesuffix(".manifest.json"))).exists():
            document = json.loads(manifest.read_text(encoding="utf-8"))
            found[copy.name] = (document["created"], document["verified"])
    return found


def newest_verified(found: dict, until: str) -> str:
    return max(((created, name) for name, (created, verified) in found.items() if verified != "none" and created <= until), default=("", ""))[1]


def nights(options: Options, subject) -> Campaign:
    subject.tasks(50)
    rng = options.rng("T18 " + subject.mode)
    campaign = Campaign(f"T18 retention {subject.engine}/{subject.mode}", options, 50)
    kinds: collections.Counter = collections.Counter()
    removed = 0
    for series in range(options.scale(2, 60)):
        for path in copies_of(subject).glob("*"):
            path.unlink()
        # A streak of failures after the first good nights, longer than any retention.
        plan = ["good", "good"] + rng.choices(FAILING + ("killed",), k=10) + rng.choices(list(NIGHTS), k=18)
        for number, kind in enumerate(plan):
            day = number + (rng.choice([-400, -30, -1, 1, 30, 400]) if number > 1 and rng.random() < 0.25 else 0)
            kinds[kind] += 1
            before = backups(subject)
            wrong = night(subject, kind, day, rng)
            removed += len(set(before) - set(backups(subject)))
            campaign.point(subject, f"night {number} of series {series}: {kind}, day {day}", wrong)
    require(removed > 3, "retention removed nothing: nothing was tested")
    campaign.note(f"{removed} removed, " + ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items())))
    return campaign


def night(subject, kind: str, day: int, rng: random.Random) -> list[str]:
    before, (more, under), keep = backups(subject), NIGHTS[kind], rng.choice(KEEPING)
    db = [] if "--db" in more else ["--db", subject.db]
    for name in rng.sample(sorted(before), min(1, len(before))):  # times of files say nothing
        os.utime(copies_of(subject) / name, (4e9, 4e9))
    outcome = at_clock(subject, f"{day:+d}d", "backup", *db, "--backup-dir", str(copies_of(subject)), *keep, *more, "--output", "json", under=under)
    after = backups(subject)
    made = outcome.document["backup"]["created"] if outcome.code == 0 else max([c for c, _ in after.values()], default="")
    gone, new = set(before) - set(after), set(after) - set(before)
    wrong = []
    if kind in FAILING and (outcome.code in (0, 70) or gone or new):
        wrong.append(f"T18 exit {outcome.code}, {gone} gone, {new} new: {outcome.stderr[-300:]!r}")
    if kind not in FAILING + ("killed",) and outcome.code != 0:
        wrong.append(f"T18 exit {outcome.code}: {outcome.stderr[-300:]!r}")
    if outcome.code == 0:
        last = newest_verified(before | after, made)
        wrong += [f"T18 the newest verified one, {last}, was removed"] if last in gone else []
        wrong += [f"T18 {name} was removed, which is dated in the future" for name in gone if before[name][0] > made]
        counted = [name for name, (created, _) in after.items() if created <= made]
        if len(keep) == 2 and keep[0] == "--keep" and len(counted) > int(keep[1]) + 1:
            wrong.append(f"T18 {len(counted)} are left with {keep}")
    return wrong + survivors(subject)


def survivors(subject) -> list[str]:
    """The newest verified one, by the clock of the manifests, passes verification."""
    last = newest_verified(backups(subject), "9999")
    if not last:
        return ["T18 no verified backup is left"]
    verified = subject.run("backup", "verify", str(copies_of(subject) / last))
    return [] if verified.code == 0 else [f"T18 {last} does not pass verification: {verified.stderr}"]


def two_writers(options: Options, subject) -> Campaign:
    subject.tasks(50)
    rng = options.rng("T18 two " + subject.mode)
    campaign = Campaign(f"T18 two writers {subject.engine}/{subject.mode}", options, 25)
    codes: collections.Counter = collections.Counter()
    for _ in range(options.scale(30, 500)):
        keeps = [rng.choice([["--keep", "1"], ["--keep-within", "1ms"]]) for _ in range(rng.choice([2, 4]))]
        processes = [subject.folder.start("backup", "--db", subject.db, "--backup-dir", str(copies_of(subject)), *keep) for keep in keeps]
        wrong = []
        for process in processes:
            out, err = process.communicate(timeout=60)
            codes[process.returncode] += 1
            if process.returncode != 0:
                wrong.append(f"T18 exit {process.returncode}: {out!r} {err[-300:]!r}")
        if not 1 <= len(backups(subject)) <= len(processes):
            wrong.append(f"T18 {sorted(backups(subject))} are left")
        campaign.point(subject, f"{len(keeps)} at once, {keeps}", wrong + survivors(subject))
    campaign.note("exits " + " ".join(f"{c}:{n}" for c, n in sorted(codes.items())))
    return campaign
