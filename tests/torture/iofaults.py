"""T3, T4: an I/O error, or a full disk, on the n-th call on the database's files: once, and for ever after."""
import collections
import re

from campaign import Campaign, Options, Scenario, require, subject_of
from oracle import judge

CALLS = ["pwrite64", "fdatasync", "ftruncate", "pread64"]


def on_files(subject) -> list[str]:
    options = []
    for suffix in ("", "-wal", "-journal"):
        options += ["-P", str(subject.path) + suffix]
    return options


def calls_on_files(subject, scenario: Scenario, calls: list[str]) -> collections.Counter:
    subject.reset()
    log = subject.folder.path / "calls"
    outcome = subject.under_strace([], *scenario.arguments(), log=str(log), trace=",".join(calls), more=on_files(subject))
    require(outcome.code == 0, f"the undisturbed run: {outcome.stderr}")
    return collections.Counter(m[1] for m in re.finditer(r"^\d+ +(\w+)\(", log.read_text(encoding="utf-8", errors="replace"), re.M))


def faults(options: Options, name: str, error: str, calls: list[str], short: int):
    for mode in ("wal", "delete"):
        with subject_of(mode) as subject:
            rng = options.rng(name + mode)
            scenario = Scenario(subject, "reconcile", options.scale(9, 30), options.scale(3, 10))
            campaign = Campaign(f"{name} {error} sqlite/{mode}", options, 8)
            counts = calls_on_files(subject, scenario, calls)
            points = [(call, n, ever) for call in calls for n in range(1, counts[call] + 1) for ever in ("", "+")]
            codes: collections.Counter = collections.Counter()
            for call, n, ever in points if options.long else rng.sample(points, min(short, len(points))):
                subject.reset()
                outcome = subject.under_strace([f"{call}:error={error}:when={n}{ever}"], *scenario.arguments(), more=on_files(subject))
                codes[outcome.code] += 1
                wrong = scenario.settle(outcome)
                if outcome.code != 0 and not outcome.stderr.strip():
                    wrong.append("T3 it ends without a word")
                campaign.point(subject, f"{call} number {n}{ever}", wrong)
            campaign.note(f"of {len(points)}, exits " + " ".join(f"{c}:{n}" for c, n in sorted(codes.items())))
            yield campaign


def t3(options: Options):
    yield from faults(options, "T3", "EIO", CALLS, 12)


def t4(options: Options):
    yield from faults(options, "T4", "ENOSPC", ["pwrite64", "ftruncate"], 8)
    for mode in ("wal", "delete"):
        yield backup_without_room(options, mode)


def backup_without_room(options: Options, mode: str) -> Campaign:
    """The backup of a repair fails: no repair, exit 7, and nothing half-made that looks like a copy."""
    with subject_of(mode) as subject:
        scenario = Scenario(subject, "reconcile", 30, 10)
        arguments = [a for a in scenario.arguments() if a != "--no-backup"]
        campaign = Campaign(f"T4 ENOSPC in the backup sqlite/{mode}", options, 3)
        for n in range(1, options.scale(4, 40)):
            subject.reset()
            outcome = subject.under_strace([f"pwrite64:error=ENOSPC:when={n}+"], *arguments)
            wrong = judge(scenario.before, subject.snapshot(), scenario.plan, subject.journal(), outcome)
            copies = [p for p in subject.folder.path.glob("*_backup_*") if p.suffix == ".db"]
            wrong += [f"T4 half a copy is left: {p.name}" for p in copies if subject.run("backup", "verify", str(p)).code != 0]
            wrong += [f"T4 {p.name} is left" for p in subject.folder.path.glob(".taskctl*")]
            if not copies and outcome.code == 0:
                wrong.append("I7 exit 0 without a backup")
            campaign.point(subject, f"pwrite64 number {n} and all after it", wrong)
        return campaign
