"""T1c: kills during what goes on with, cleans up after, or restores: resume, history prune, backup restore, and runs with pauses."""
import sqlite3
import time

from campaign import Campaign, Options, Scenario, UNGUARDED, repair, require, subject_of
from kills import FILE_CALLS, count_calls, every_call, killed_enough
from oracle import KILLED, Outcome, differences, judge, tasks_of
from subjects import Failure


class Resumed:
    """`resume` of a run that its time limit or a stop file has ended. It goes on under the same id: its entries are those that are new."""
    name = "resume"

    def __init__(self, subject, tasks: int, by: str) -> None:
        self.subject = subject
        subject.tasks(tasks)
        self.original = subject.snapshot()
        self.run = stopped_run(subject, by)
        subject.save()
        self.before, self.done = subject.snapshot(), len(subject.journal())
        require(0 < self.done < tasks, f"{self.done} of {tasks} tasks were done when the run was stopped")
        self.command = ["resume", self.run, "--db", subject.db]
        self.plan = subject.plan(*self.command)
        require(self.plan.tasks == tasks - self.done, f"{self.plan.tasks} tasks are left, {tasks - self.done} are wrong")

    def arguments(self) -> list[str]:
        return [*self.command, *UNGUARDED, "--batch-size", "2"]

    def settle(self, outcome: Outcome) -> list[str]:
        subject = self.subject
        try:
            subject.wait_until_idle()
            after, entries = subject.snapshot(), subject.journal()
            wrong = judge(self.before, after, self.plan, entries[self.done:], Outcome(KILLED))
            wrong += [f"I3 an entry of the part before is another: {e.key}" for e in entries if e.run != self.run]
            told = ((outcome.document or {}).get("result") or {}).get("applied")
            if outcome.code != KILLED and (outcome.code != 0 or told != tasks_of(entries)):
                wrong.append(f"I7 exit {outcome.code}, it says {told}, the journal has {tasks_of(entries)}: {outcome.stderr[-300:]!r}")
            return wrong or self._ends(after)
        except Failure as failure:
            return [str(failure)]

    def _ends(self, after: dict) -> list[str]:
        subject = self.subject
        again = subject.run(*self.arguments())
        done = self.plan.applied_to(self.before)
        # A run that is done cannot go on, which is said; one whose end was not written can.
        if again.code != 0 and not (again.code in (1, 5) and after == done):
            return [f"I5 the next resume ends with {again.code}: {again.stderr[-400:]!r}"]
        wrong = [f"I5 after the next resume: {d}" for d in differences(done, subject.snapshot())]
        undone = subject.run("undo", self.run, "--db", subject.db, *UNGUARDED)
        if undone.code != 0:
            wrong.append(f"I6 undo ends with {undone.code}: {undone.stderr[-400:]!r}")
        return wrong + [f"I6 after the undo: {d}" for d in differences(self.original, subject.snapshot())]


def stopped_run(subject, by: str, entries: int = 1) -> str:
    """Its id; stopped by a file once the journal has so many entries, those of earlier runs included."""
    arguments = [*repair(subject.db), *UNGUARDED, "--batch-size", "2", "--sleep", "60s"]
    if by == "run time":
        outcome = subject.run(*arguments, "--max-runtime", "3s")
    else:
        with open(subject.folder.path / "out", "w+", encoding="utf-8") as out:
            process = subject.folder.start(*arguments, "--stop-file", str(subject.folder.path / "stop"), stdout=out)
            for _ in range(1000):
                if entries_of(subject) >= entries:
                    break
                time.sleep(0.01)
            (subject.folder.path / "stop").touch()
            _, err = process.communicate(timeout=60)
            out.seek(0)
            outcome = Outcome(process.returncode, out.read(), err)
        (subject.folder.path / "stop").unlink()
    require(outcome.code == 12, f"the run that is stopped ends with {outcome.code}: {outcome.stderr}")
    return outcome.document["result"]["run"]


def entries_of(subject) -> int:
    try:
        return len(subject.journal())
    except (sqlite3.Error, Failure):  # the tables are being made
        return 0


def t1c_resume(options: Options):
    for mode, by, step in (("wal", "run time", 12), ("delete", "stop file", 16)):
        with subject_of(mode) as subject:
            campaign = Campaign(f"T1c resume after a {by} sqlite/{mode}", options, 5)
            every_call(options, campaign, Resumed(subject, options.scale(6, 20), by), FILE_CALLS, 1 if options.long else step)
            yield campaign
    with subject_of("postgres") as subject:
        campaign = Campaign("T1c resume after a stop file postgres, client messages", options, 3)
        every_call(options, campaign, Resumed(subject, options.scale(6, 20), "stop file"), ["sendto"], 1 if options.long else 40)
        yield campaign


def t1c_pauses(options: Options):
    """A run that sleeps after every batch: nothing is held meanwhile, and what is killed then is whole."""
    for mode, calls, step in (("wal", FILE_CALLS, 14), ("delete", FILE_CALLS, 18), ("postgres", ["sendto"], 40)):
        with subject_of(mode) as subject:
            scenario = Scenario(subject, "reconcile", options.scale(6, 30), 2)
            scenario.batch += ["--sleep", "30ms", "--max-runtime", "1h", "--stop-file", str(subject.folder.path / "no such file")]
            campaign = Campaign(f"T1c a run with pauses {subject.engine}/{mode}", options, 3)
            every_call(options, campaign, scenario, calls, 1 if options.long else step)
            yield campaign


class Pruning:
    """`history prune` of a run that takes two transactions to remove, and of a small one."""
    name = "history prune"

    def __init__(self, subject) -> None:
        self.subject, self.halves = subject, 0
        subject.tasks(610)
        for limit in ("600", "10"):
            outcome = subject.run(*repair(subject.db), "--limit", limit, *UNGUARDED)
            require(outcome.code == 0, f"a run to be pruned: {outcome.stderr}")
        subject.save()
        self.before, self.entries = subject.snapshot(), by_run(subject)
        require(sorted(map(len, self.entries.values())) == [10, 600], "two runs")

    def arguments(self) -> list[str]:
        return ["history", "prune", "--db", self.subject.db, "--older-than", "1ms", "--yes", "--output", "json"]

    def settle(self, outcome: Outcome) -> list[str]:
        subject = self.subject
        try:
            subject.wait_until_idle()
            wrong, entries, states = [], by_run(subject), run_states(subject)
            for run, all_of_it in self.entries.items():
                state = states.get(run, "gone")
                left = entries.get(run, [])
                whole = not left if state == "gone" else left == all_of_it
                if not whole and state != "pruning":
                    wrong.append(f"T1c run {run} is {state} and has {len(left)} of {len(all_of_it)} entries")
                self.halves += state == "pruning"
                if state == "pruning" and "cannot be undone" not in (undone := subject.run("undo", run, "--db", subject.db, *UNGUARDED)).stderr:
                    wrong.append(f"T1c run {run} is half removed, its undo ends with {undone.code}: {undone.stderr[-300:]!r}")
            if outcome.code != KILLED and (outcome.code != 0 or entries):
                wrong.append(f"I7 exit {outcome.code}, {len(entries)} runs have entries: {outcome.stderr[-300:]!r}")
            time.sleep(0.002)
            again = subject.run(*self.arguments())
            if again.code != 0 or by_run(subject) or set(run_states(subject)) & set(self.entries):
                wrong.append(f"I5 the next pruning ends with {again.code} and leaves {run_states(subject)}: {again.stderr[-300:]!r}")
            return wrong + [f"I4 a task: {d}" for d in differences(self.before, subject.snapshot())]
        except Failure as failure:
            return [str(failure)]


def by_run(subject) -> dict:
    runs: dict = {}
    for entry in subject.journal():
        runs.setdefault(entry.run, []).append((entry.key, entry.before, entry.after))
    return runs


def run_states(subject) -> dict:
    if subject.engine == "postgres":
        return dict(line.split("|") for line in subject.sql("SELECT id, state FROM taskctl.taskctl_runs").splitlines())
    connection = sqlite3.connect(subject.path, timeout=20)
    try:
        return dict(connection.execute("SELECT id, state FROM taskctl_runs").fetchall())
    finally:
        connection.close()


def t1c_prune(options: Options):
    for mode, calls, step in (("wal", FILE_CALLS, 60), ("delete", FILE_CALLS, 90), ("postgres", ["sendto"], 24)):
        with subject_of(mode) as subject:
            campaign = Campaign(f"T1c history prune {subject.engine}/{mode}", options, 3)
            pruning = Pruning(subject)
            every_call(options, campaign, pruning, calls, 1 if options.long else step)
            campaign.note(f"{pruning.halves} with a run that was half removed")
            yield campaign


def t1c_restore(options: Options):
    """The target is not there, or whole; what is unfinished has a hidden name; the next restore works."""
    for mode in ("wal", "delete"):
        with subject_of(mode) as subject:
            subject.tasks(50)
            before, folder = subject.snapshot(), subject.folder.path
            made = subject.run("backup", "--db", subject.db, "--backup-dir", str(folder / "copies"), "--name", "copy.db")
            require(made.code == 0, f"a backup: {made.stderr}")
            arguments = ["backup", "restore", str(folder / "copies" / "copy.db"), "--to", str(folder / "new" / "tasks.db")]
            (folder / "new").mkdir()
            campaign = Campaign(f"T1c backup restore sqlite/{mode}", options, 5)
            counts = count_calls(subject, [*FILE_CALLS, "copy_file_range", "sendfile", "link", "linkat", "renameat2"], arguments)
            points = [(call, n) for call, count in sorted(counts.items()) for n in range(1, count + 1)]
            killed = 0
            for call, n in points:
                for path in (folder / "new").iterdir():
                    path.unlink()
                killed += subject.under_strace([f"{call}:signal=KILL:when={n}"], *arguments).code == KILLED
                campaign.point(subject, f"{call} number {n}", restored(subject, before, arguments))
            killed_enough(campaign, killed, len(points))
            campaign.note(f"{killed} killed (" + " ".join(f"{call} {count}" for call, count in sorted(counts.items())) + ")")
            yield campaign


def restored(subject, before: dict, arguments: list[str]) -> list[str]:
    target, source = subject.folder.path / "new" / "tasks.db", subject.path
    try:
        wrong = [f"T1c {p.name} is left" for p in target.parent.iterdir() if p != target and not p.name.startswith(".")]
        was_there = target.exists()
        again = subject.run(*arguments)
        if again.code != (5 if was_there else 0):
            wrong.append(f"T1c the target is {'there' if was_there else 'not there'}, the next restore ends with {again.code}: {again.stderr}")
        subject.path = target
        return wrong + [f"T1c restored: {d}" for d in differences(before, subject.snapshot())]
    except (Failure, sqlite3.Error) as failure:
        return [f"T1c {failure}"]
    finally:
        subject.path = source
