"""T1: taskctl is killed at every write, sync, unlink and truncate call, at random times, and its backend is."""
import collections
import json
import pathlib
import re
import subprocess
import time

from campaign import Campaign, Options, Scenario, UNGUARDED, require, subject_of
from oracle import KILLED, Outcome, differences
from subjects import Failure

FILE_CALLS = ["write", "pwrite64", "fsync", "fdatasync", "unlink", "ftruncate", "rename"]


def count_calls(subject, calls: list[str], arguments: list[str]) -> dict:
    log = subject.folder.path / "calls"
    outcome = subject.under_strace([], *arguments, log=str(log), trace=",".join(calls))
    require(outcome.code == 0, f"the undisturbed run: {outcome.stderr}")
    return collections.Counter(m[1] for m in re.finditer(r"^\d+ +(\w+)\(", log.read_text(encoding="utf-8", errors="replace"), re.M))


def every_call(options: Options, campaign: Campaign, scenario: Scenario, calls: list[str], step: int) -> None:
    """One run per call; with a step, every step-th of them from a random one on."""
    subject = scenario.subject
    counts = count_calls(subject, calls, scenario.arguments())
    points = [(call, n) for call in calls for n in range(1, counts[call] + 1)]
    points = points[options.rng(campaign.name).randrange(step)::step] if step > 1 else points
    killed = 0
    for call, n in points:
        subject.reset()
        outcome = subject.under_strace([f"{call}:signal=KILL:when={n}"], *scenario.arguments())
        killed += outcome.code == KILLED
        campaign.point(subject, f"{scenario.name}, {call} number {n}", scenario.settle(outcome))
    killed_enough(campaign, killed, len(points))
    campaign.note(f"{killed} killed (" + " ".join(f"{call} {counts[call]}" for call in calls if counts[call]) + ")")


def killed_enough(campaign: Campaign, killed: int, runs: int) -> None:
    """How many calls a run makes differs by a few from run to run."""
    if killed < 0.8 * runs:
        print(f"VIOLATION {campaign.name}: only {killed} of {runs} runs were killed")
        campaign.violations.append(("all", ["not killed"]))


def t1b(options: Options):
    tasks, batch = options.scale(4, 60), options.scale(2, 10)
    for mode in ("wal", "delete"):
        for name, step in (("reconcile", 1), ("undo", 8), ("cancel", 12)):
            with subject_of(mode) as subject:
                campaign = Campaign(f"T1b {name} sqlite/{mode}", options, 5)
                every_call(options, campaign, Scenario(subject, name, tasks, batch), FILE_CALLS, 1 if options.long else step)
                yield campaign


def t1b_server(options: Options):
    """The client dies before each message that it sends."""
    for name, step in (("reconcile", 16), ("undo", 32), ("cancel", 32)):
        with subject_of("postgres") as subject:
            campaign = Campaign(f"T1b {name} postgres, client messages", options, 3)
            every_call(options, campaign, Scenario(subject, name, options.scale(9, 60), 3), ["sendto"], 1 if options.long else step)
            yield campaign


def t1a(options: Options):
    rng = options.rng("T1a")
    for mode in ("wal", "delete", "postgres"):
        with subject_of(mode) as subject:
            scenario = Scenario(subject, "reconcile", options.scale(300, 10_000), options.scale(10, 100))
            campaign = Campaign(f"T1a reconcile {subject.engine}/{mode}", options, 3)
            subject.reset()
            started = time.monotonic()
            require(subject.run(*scenario.arguments()).code == 0, "the undisturbed run")
            lasts, mid = time.monotonic() - started, 0
            for _ in range(options.scale(3, 1000)):
                subject.reset()
                outcome = killed_after(subject, scenario, rng.uniform(0, lasts))
                done = len(subject.journal())
                mid += 0 < done < len(scenario.plan.rows)
                campaign.point(subject, "a random time", scenario.settle(outcome))
            campaign.note(f"{mid} in the middle of the plan")
            yield campaign


def killed_after(subject, scenario: Scenario, seconds: float) -> Outcome:
    process = subject.folder.start(*scenario.arguments(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(seconds)
    process.kill()
    outcome = Outcome(process.wait(timeout=30))
    subject.wait_until_idle()
    return outcome


def t1a_backend(options: Options):
    """The server process of the run is ended at a random time; the run goes on, or says truly what it did."""
    rng = options.rng("T1a backend")
    with subject_of("postgres") as subject:
        scenario = Scenario(subject, "reconcile", options.scale(300, 5000), 10)
        campaign = Campaign("T1a backend terminated postgres", options, 4)
        codes = collections.Counter()
        for _ in range(options.scale(4, 500)):
            subject.reset()
            outcome, ended = backend_ended_after(subject, scenario, rng.uniform(0, 0.6))
            codes[outcome.code] += ended
            campaign.point(subject, "a random time", scenario.settle(outcome))
        require(sum(codes.values()) > 0, "no backend was ended: nothing was tested")
        campaign.note("exits " + " ".join(f"{code}:{n}" for code, n in sorted(codes.items())))
        yield campaign


def backend_ended_after(subject, scenario: Scenario, seconds: float) -> tuple[Outcome, bool]:
    with open(subject.folder.path / "out", "w+", encoding="utf-8") as out:
        process = subject.folder.start(*scenario.arguments(), stdout=out)
        for _ in range(400):
            if process.poll() is not None or subject.database.admin(
                    f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{subject.database.name}'") != "0":
                break
        time.sleep(seconds)
        ended = subject.database.admin("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                                       f"WHERE datname = '{subject.database.name}'")
        _, err = process.communicate(timeout=60)
        out.seek(0)
        return Outcome(process.returncode, out.read(), err), ended != "0"


def t1c_backup(options: Options):
    """A backup that is killed leaves the database alone, and nothing that is listed as good and is not."""
    for mode in ("wal", "delete"):
        with subject_of(mode) as subject:
            subject.tasks(50)
            before = subject.snapshot()
            campaign = Campaign(f"T1c backup sqlite/{mode}", options, 5)
            arguments = ["backup", "--db", subject.db, "--backup-dir", str(subject.folder.path / "copies"), "--output", "json"]
            counts = count_calls(subject, FILE_CALLS, arguments)
            points = [(call, n) for call in FILE_CALLS for n in range(1, counts[call] + 1)]
            points, killed = points if options.long else points[::3], 0
            left = 0
            for call, n in points:
                subject.reset()
                killed += subject.under_strace([f"{call}:signal=KILL:when={n}"], *arguments).code == KILLED
                campaign.point(subject, f"{call} number {n}", copies_are_good(subject, before, arguments))
                left += remove_copies(subject)
            killed_enough(campaign, killed, len(points))
            campaign.note(f"{killed} killed, {left} unfinished files left")
            yield campaign


def copies_are_good(subject, before: dict, arguments: list[str]) -> list[str]:
    try:
        wrong = [f"I4 the database: {d}" for d in differences(before, subject.snapshot())]
        copies = subject.folder.path / "copies"
        for manifest in sorted(copies.glob("*.manifest.json")):
            copy = pathlib.Path(str(manifest).removesuffix(".manifest.json"))
            verified = subject.run("backup", "verify", str(copy))
            if verified.code != 0:
                wrong.append(f"{copy.name} has a manifest and does not pass verification: {verified.stderr}")
                continue
            restored = subject.folder.path / "restored.db"
            result = subject.run("backup", "restore", str(copy), "--to", str(restored))
            if result.code != 0:
                wrong.append(f"{copy.name} is verified and cannot be restored: {result.stderr}")
            else:
                path, subject.path = subject.path, restored
                wrong += [f"restored: {d}" for d in differences(before, subject.snapshot())]
                subject.path = path
                restored.unlink()
        again = subject.run(*arguments)
        if again.code != 0:
            wrong.append(f"I5 the next backup ends with {again.code}: {again.stderr}")
        return wrong
    except Failure as failure:
        return [str(failure)]


def remove_copies(subject) -> int:
    """Returns how many hidden files a kill left: they are no backups, and nothing takes them for any."""
    paths = list((subject.folder.path / "copies").iterdir())
    for path in paths:
        path.unlink()
    return sum(path.name.startswith(".") for path in paths)


def t1d(options: Options):
    """Killed, then killed again while it goes on, three times."""
    rng = options.rng("T1d")
    for mode in ("wal", "delete"):
        with subject_of(mode) as subject:
            scenario = Scenario(subject, "reconcile", 12, 3)
            campaign = Campaign(f"T1d three kills in a row sqlite/{mode}", options, 2)
            for _ in range(options.scale(2, 300)):
                subject.reset()
                story = []
                for _ in range(3):
                    call, n = rng.choice([("pwrite64", rng.randint(1, 60)), ("fdatasync", rng.randint(1, 8))])
                    story.append(f"{call} {n}")
                    outcome = subject.under_strace([f"{call}:signal=KILL:when={n}"], *scenario.arguments())
                    subject.journal()  # the application opens the file: what the kill left is rolled back
                if outcome.code != KILLED:
                    outcome = Outcome(KILLED)  # what it says is about the rest of the plan only
                campaign.point(subject, ", ".join(story), scenario.settle(outcome))
            yield campaign
