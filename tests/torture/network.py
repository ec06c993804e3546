"""T5: connections that are cut at random bytes, go silent, or break between COMMIT and its reply."""
import collections
import time

from campaign import Campaign, Options, Scenario, require, subject_of
from proxy import ByteCutter, CommitBreaker

BOUND = 35.0  # seconds: connect, statement and reconnect limits together, and five more


def through(scenario: Scenario, proxy, campaign: Campaign, codes: collections.Counter, what: str) -> None:
    subject = scenario.subject
    subject.reset()
    db = proxy.db(subject.database.name)
    started = time.monotonic()
    try:
        outcome = subject.run(*[db if a == subject.db else a for a in scenario.arguments()], timeout=90)
    finally:
        proxy.close()
    took = time.monotonic() - started
    codes[outcome.code] += 1
    wrong = scenario.settle(outcome)
    if took > BOUND * slow():
        wrong.append(f"T5 it took {took:.0f} s: {outcome.stderr[-300:]!r}")
    campaign.point(subject, what, wrong)


def slow() -> float:
    """A machine that is busy with other things gets more time."""
    with open("/proc/loadavg", encoding="ascii") as load:
        return max(1.0, float(load.read().split()[0]) / 4)


def t5a(options: Options):
    for silent in (False, True):
        rng = options.rng(f"T5a {silent}")
        with subject_of("postgres") as subject:
            scenario = Scenario(subject, "reconcile", 12, 3)
            counter = ByteCutter(10**9, False)
            subject.reset()
            db = counter.db(subject.database.name)
            require(subject.run(*[db if a == subject.db else a for a in scenario.arguments()]).code == 0, "a run through the proxy")
            counter.close()
            campaign = Campaign("T5a " + ("silence" if silent else "reset") + " at a random byte", options, 3)
            codes: collections.Counter = collections.Counter()
            for _ in range(options.scale(3 if silent else 10, 500)):
                after = rng.randrange(1, counter.bytes)
                through(scenario, ByteCutter(after, silent), campaign, codes, f"byte {after}")
            campaign.note("exits " + " ".join(f"{c}:{n}" for c, n in sorted(codes.items())))
            yield campaign


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
        require(codes[9] == 0, "exit 9 although the server is there")
        campaign.note("exits " + " ".join(f"{c}:{n}" for c, n in sorted(codes.items())))
        yield campaign
