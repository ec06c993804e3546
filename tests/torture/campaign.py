"""Counts the points of one test, keeps what failed, and prints the line that the report is made of."""
import argparse
import contextlib
import dataclasses
import pathlib
import random
import tempfile
import time

from subjects import NOW, UNGUARDED, Failure, Folder, Server, Sqlite, Subject, repair, require  # noqa: F401
from oracle import Outcome, Plan, differences, judge


@dataclasses.dataclass
class Options:
    long: bool
    seed: int
    share: int = 100  # percent of the long form's repetitions and sizes; what it does at every point, it still does at every one

    def rng(self, name: str) -> random.Random:
        return random.Random(f"{self.seed} {name}")

    def scale(self, short: int, long: int) -> int:
        return max(short, long * self.share // 100) if self.long else short


class Campaign:
    """`minimum`: with fewer points nothing was tested, which is a failure too."""

    def __init__(self, name: str, options: Options, minimum: int) -> None:
        self.name, self.options, self.minimum = name, options, minimum
        self.points, self.outcomes, self.violations, self.notes = 0, 0, [], []
        self._started = time.monotonic()

    def point(self, subject: Subject, what: str, wrong: list[str]) -> None:
        self.points += 1
        if not wrong:
            return
        kept = pathlib.Path(tempfile.mkdtemp(prefix="taskctl-torture-"))
        if len(self.violations) < 5:
            subject.keep(kept)
            print(f"VIOLATION {self.name} at {what}, seed {self.options.seed}, kept in {kept}")
            for line in wrong[:8]:
                print(f"    {line}")
        self.violations.append((what, wrong))

    def check(self, subject: Subject, what: str, good: bool, otherwise: str) -> None:
        self.point(subject, what, [] if good else [otherwise])

    def note(self, text: str) -> None:
        self.notes.append(text)

    def finish(self) -> bool:
        notes = "".join(f", {note}" for note in self.notes)
        print(f"{self.name}: {self.points} points, {len(self.violations)} violations{notes}, seed {self.options.seed}, "
              f"{time.monotonic() - self._started:.0f} s", flush=True)
        if self.points < self.minimum:
            print(f"FAILED {self.name}: only {self.points} points, at least {self.minimum} are expected: it tested nothing")
        return not self.violations and self.points >= self.minimum


@contextlib.contextmanager
def subject_of(mode: str):
    """'wal', 'delete', or 'postgres'."""
    with Folder() as folder:
        subject = Server(folder) if mode == "postgres" else Sqlite(folder, mode)
        try:
            yield subject
        finally:
            subject.close()


class Scenario:
    """A command that writes, the state in which it starts, and what must hold however it ends."""

    def __init__(self, subject: Subject, name: str, tasks: int, batch: int) -> None:
        self.subject, self.name = subject, name
        self.batch = ["--batch-size", str(batch)]
        subject.tasks(tasks)
        db = subject.db
        if name == "reconcile":
            self.command = repair(db)
        elif name == "cancel":
            self.command = ["cancel", "--db", db, "--now", NOW, "--force", "--max-changes", "100000", *[f"t{i}" for i in range(tasks)]]
        elif name == "undo":
            outcome = subject.run(*repair(db), *UNGUARDED)
            require(outcome.code == 0, f"the run to be undone: {outcome.stderr}")
            subject.save()
            self.command = ["undo", outcome.document["result"]["run"], "--db", db, "--max-changes", "100000"]
        else:
            raise Failure(f"no scenario '{name}'")
        self.before = subject.snapshot()
        self.earlier = set(subject.runs())
        self.plan = subject.plan(*self.command)
        require(self.plan.tasks == tasks, f"{name}: the plan has {self.plan.tasks} tasks, {tasks} are wrong")

    def arguments(self) -> list[str]:
        return [*self.command, *UNGUARDED, *self.batch]

    def settle(self, outcome: Outcome) -> list[str]:
        """All seven invariants after a run that ended somehow; leaves the database for reset()."""
        subject = self.subject
        try:
            subject.wait_until_idle()
            after = subject.snapshot()
            entries = [e for e in subject.journal() if e.run not in self.earlier]
            wrong = judge(self.before, after, self.plan, entries, outcome)
            return wrong or self._converges() or self._comes_back()
        except Failure as failure:
            return [str(failure)]

    def _converges(self) -> list[str]:
        again = self.subject.run(*self.arguments())
        if again.code != 0 and not all_over(again):
            return [f"I5 the second run ends with {again.code}: {again.stderr[-400:]!r}"]
        return [f"I5 after the second run: {d}" for d in differences(self.plan.applied_to(self.before), self.subject.snapshot())]

    def _comes_back(self) -> list[str]:
        for run in reversed([r for r in self.subject.runs() if r not in self.earlier]):
            undone = self.subject.run("undo", run, "--db", self.subject.db, "--max-changes", "100000", *UNGUARDED)
            if undone.code != 0:
                return [f"I6 undo of {run} ends with {undone.code}: {undone.stderr[-400:]!r}"]
        return [f"I6 after the undo: {d}" for d in differences(self.before, self.subject.snapshot())]


def all_over(outcome: Outcome) -> bool:
    """A second cancel finds tasks that the first has ended: it says so, and that is not a success."""
    document = outcome.document or {}
    left = document.get("left_out", [])
    return document.get("schema", "").startswith("taskctl.cancel/") and bool(left) and all(l["why"] == "already-over" for l in left)


def parse_options() -> tuple[Options, list[str]]:
    parser = argparse.ArgumentParser(prog="torture", description="Kills, cuts, fills and floods taskctl, and checks seven invariants.")
    parser.add_argument("--long", action="store_true", help="the form for hours")
    parser.add_argument("--share", type=int, default=100, metavar="PERCENT", help="of the long form's repetitions (default 100)")
    parser.add_argument("--only", metavar="NAMES", default="", help="only these tests: T1b, or T1a,T13")
    parser.add_argument("--seed", type=int, help="repeat a run (printed with every line)")
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(1_000_000)
    return Options(arguments.long, seed, arguments.share), [name for name in arguments.only.split(",") if name]
