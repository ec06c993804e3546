"""T5: connections that are cut at random bytes, go silent, or break between COMMIT and its reply."""
import collections
import signal
import subprocess
import time

from campaign import Campaign, Options, Scenario, require, subject_of
from oracle import Outcome
from proxy import ByteCutter, CommitBreaker

# Seconds: statement (8), reconnecting (30) and one more attempt to connect (10), and five more.
BOUND = 53.0


def through(scenario: Scenario, proxy, campaign: Campaign, codes: collections.Counter, what: str, silent: bool = False) -> None:
    subject = scenario.subject
    subject.reset()
    db = proxy.db(subject.database.name)
    arguments = [db if a == subject.db else a for a in scenario.arguments()]
    started = time.monotonic()
    try:
        outcome, waited = interrupted(subject, arguments) if silent else (subject.run(*arguments, timeout=90), 0.0)
    finally:
        proxy.close()
    took = time.monotonic() - started - waited
    codes[outcome.code] += 1
    wrong = scenario.settle(outcome)
    if took > BOUND * slow():
        wrong.append(f"T5 it took {took:.0f} s: {outcome.stderr[-300:]!r}")
    campaign.point(subject, what, wrong)


def interrupted(subject, arguments: list[str]) -> tuple[Outcome, float]:
    """A proxy that takes every byte and answers nothing looks like a slow server for ever: a person ends the run."""
    with open(subject.folder.path / "out", "w+", encoding="utf-8") as out:
        process = subject.folder.start(*arguments, stdout=out)
        started = time.monotonic()
        try:
            process.wait(timeout=3 * slow())
        except subprocess.TimeoutExpired:
            for _ in range(2):
                process.send_signal(signal.SIGINT)
                time.sleep(0.5)
        waited = time.monotonic() - started
        try:
            _, err = process.communicate(timeout=BOUND * slow())
        except subprocess.TimeoutExpired:
            process.kill()
            _, err = process.communicate()
            return Outcome(-1, "", f"killed, two interrupts did not end it: {err}"), waited
        out.seek(0)
        return Outcome(process.returncode, out.read(), err), waited


def slow() -> float:
    """A machine that is busy with other things gets more time."""
    with open("/proc/loadavg", encoding="ascii") as load:
        return max(1.0, float(load.read().split()[0]) / 4)


def t5a(options: Options):
    yield random_bytes(options, False, options.scale(5, 500))


def t5c(options: Options):
    yield random_bytes(options, True, options.scale(3, 500))


def random_bytes(options: Options, silent: bool, points: int) -> Campaign:
    rng = options.rng(f"T5a {silent}")
    with subject_of("postgres") as subject:
        scenario = Scenario(subject, "reconcile", 12, 3)
        counter = ByteCutter(10**9, False)
        subject.reset()
        db = counter.db(subject.database.name)
        require(subject.run(*[db if a == subject.db else a for a in scenario.arguments()]).code == 0, "a run through the proxy")
        counter.close()
        campaign = Campaign("T5c silence at a random byte" if silent else "T5a cut at a random byte", options, 3)
        codes: collections.Counter = collections.Counter()
        for _ in range(points):
            after = rng.randrange(1, counter.bytes)
            through(scenario, ByteCutter(after, silent), campaign, codes, f"byte {after}", silent)
        campaign.note("exits " + " ".join(f"{c}:{n}" for c, n in sorted(codes.items())))
        return campaign


def t5b(options: Options):
    """At every COMMIT of the run; the server has it, or never gets it."""
    with subject_of("postgres") as subject:
        scenario = Scenario(subject, "reconcile", options.scale(9, 60), 3)
        counter = CommitBreaker(10**6, True)
        subject.reset()
        db = counter.db(subject.database.name)
        require(subject.run(*[db if a == subject.db else a for a in scenario.arguments()]).code == 0, "a run through the proxy")
        counter.close()
        campaign = Campaign("T5b cut between COMMIT and its reply", options, 6)
        codes: collections.Counter = collections.Counter()
        for _ in range(options.scale(1, 20)):
            for commit in range(1, counter.commits + 1):
                for forward in (True, False):
                    through(scenario, CommitBreaker(commit, forward), campaign, codes, f"COMMIT {commit}, server has it: {forward}")
        campaign.check(subject, "exit codes", codes[0] > 0 and not set(codes) - {0, 8},
                       "T5 the server is there: a run goes on (0), or had not begun (8)")
        campaign.note("exits " + " ".join(f"{c}:{n}" for c, n in sorted(codes.items())))
        yield campaign
