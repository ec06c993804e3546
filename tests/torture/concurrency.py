"""T7, T8: runs at the same time, and a holder of the lock that is killed."""
import collections
import signal
import subprocess
import time

from campaign import Campaign, Options, Scenario, require, subject_of
from oracle import Outcome, differences
from subjects import Failure


def t7(options: Options):
    for mode in ("wal", "delete", "postgres"):
        with subject_of(mode) as subject:
            scenario = Scenario(subject, "reconcile", 40, 5)
            for together in (2, 8):
                campaign = Campaign(f"T7 {together} runs at once {subject.engine}/{mode}", options, 1)
                codes: collections.Counter = collections.Counter()
                for _ in range(options.scale(1, 200)):
                    subject.reset()
                    campaign.point(subject, f"{together} runs", at_once(scenario, together, codes))
                campaign.note("exits " + " ".join(f"{c}:{n}" for c, n in sorted(codes.items())))
                yield campaign


def at_once(scenario: Scenario, together: int, codes: collections.Counter) -> list[str]:
    subject = scenario.subject
    runs = []
    for i in range(together):
        out, err = (open(subject.folder.path / f"{kind}{i}", "w+", encoding="utf-8") for kind in ("out", "err"))
        runs.append((subject.folder.start(*scenario.arguments(), stdout=out, stderr=err), out, err))
    outcomes = []
    for process, out, err in runs:
        process.wait(timeout=120)
        out.seek(0)
        err.seek(0)
        outcomes.append(Outcome(process.returncode, out.read(), err.read()))
        out.close()
        err.close()
    wrong, applied = [], 0
    for outcome in outcomes:
        codes[outcome.code] += 1
        if outcome.code not in (0, 6):
            wrong.append(f"I7 a run ends with {outcome.code}: {outcome.stderr[-300:]!r}")
        # A holder that has just got the lock has not written its name yet; a reader may meet the first write of the winner.
        if outcome.code == 6 and not any(words in outcome.stderr for words in ("pid", "left no name", "has just ended", "was changed while it was read")):
            wrong.append(f"T7 a loser does not name the holder: {outcome.stderr[-300:]!r}")
        result = (outcome.document or {}).get("result")
        applied += result["applied"] if result else 0
    entries = subject.journal()
    if len(entries) != len({(e.table, e.key) for e in entries}):
        wrong.append("T7 a row was changed twice")
    if applied != scenario.plan.tasks:
        wrong.append(f"I7 together they say {applied} of {scenario.plan.tasks}")
    return wrong + [f"T7 {d}" for d in differences(scenario.plan.applied_to(scenario.before), subject.snapshot())]


def t8(options: Options):
    rng = options.rng("T8")
    for mode in ("wal", "delete", "postgres"):
        with subject_of(mode) as subject:
            scenario = Scenario(subject, "reconcile", 150, 4)
            campaign = Campaign(f"T8 killed holder {subject.engine}/{mode}", options, 2)
            waits, killed = [], 0
            for _ in range(options.scale(2, 100)):
                subject.reset()
                holder = subject.folder.start(*scenario.arguments(), "--sleep", "10ms", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                until_begun(subject, holder)
                time.sleep(rng.uniform(0, 0.1))
                holder.kill()
                killed += holder.wait(timeout=30) == -signal.SIGKILL
                if subject.engine == "sqlite":
                    subject.journal()  # the application opens the file: what the kill left is rolled back
                started = time.monotonic()
                outcome = subject.run(*scenario.arguments(), "--limit", "1", "--lock-wait", "10s")
                waits.append(time.monotonic() - started)
                wrong = [] if outcome.code == 0 else [f"T8 exit {outcome.code}: {outcome.stderr[-300:]!r}"]
                campaign.point(subject, "a killed holder", wrong or scenario.settle(Outcome(-9)))
            require(killed == len(waits), f"{killed} of {len(waits)} runs were killed")
            campaign.note(f"longest wait {max(waits):.1f} s")
            yield campaign


def until_begun(subject, process) -> None:
    for _ in range(1000):
        if process.poll() is not None:
            raise Failure("the run ended before it was killed")
        try:
            if subject.journal():
                return
        except Exception:  # the tables are being made
            pass
        time.sleep(0.01)
    raise Failure("the run did not begin")
