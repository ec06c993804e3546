"""T13, T14: on random databases the preview is what is applied, and an undo brings every byte back."""
import sqlite3

from campaign import NOW, Campaign, Options, UNGUARDED, require, subject_of
from databases import design
from oracle import Plan, differences, judge
from subjects import Failure, Postgres, Server


def load(subject, drawn) -> None:
    if subject.engine == "sqlite":
        for path in subject.folder.path.glob("tasks*"):
            path.unlink()
        connection = sqlite3.connect(subject.path)
        connection.execute(f"PRAGMA journal_mode = {subject.mode}")
        connection.executescript(drawn.sql)
        connection.close()
    else:
        subject.sql("DROP SCHEMA IF EXISTS taskctl, torture CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public;" + drawn.sql)
    subject.columns, subject.keys = {}, {}
    subject.learn()
    (subject.folder.path / "random.toml").write_text(drawn.profile, encoding="utf-8")


def random_databases(options: Options):
    for mode, short in (("wal", 8), ("delete", 8), ("postgres", 8)):
        with subject_of(mode) as subject:
            rng = options.rng("T13 " + mode)
            campaign = Campaign(f"T13/T14a random databases {subject.engine}/{mode}", options, 8)
            rows = stuck = 0
            for number in range(options.scale(short, 1000)):
                drawn = design(rng, subject.engine)
                try:
                    load(subject, drawn)
                    changed, wrong = there_and_back(subject, drawn)
                    rows += changed
                    stuck += drawn.stuck
                except Failure as failure:
                    wrong = [str(failure)]
                campaign.point(subject, f"database {number}", wrong)
            require(rows > 0 or campaign.violations, "no row was ever changed: nothing was tested")
            campaign.note(f"{stuck} stuck tasks, {rows} rows changed and restored")
            yield campaign


def there_and_back(subject, drawn) -> tuple[int, list[str]]:
    before = subject.snapshot()
    command = ["reconcile", "--db", subject.db, "--profile", "./random.toml", "--now", NOW, "--max-age", "1"]
    plan = subject.plan(*command)
    if plan.tasks != drawn.stuck:
        return 0, [f"T13 the plan has {plan.tasks} tasks, {drawn.stuck} are stuck"]
    if other := differences(before, subject.snapshot()):
        return 0, [f"T12 the dry run changed {d}" for d in other]
    outcome = subject.run(*command, *UNGUARDED)
    after = subject.snapshot()
    wrong = judge(before, after, plan, subject.journal(), outcome)
    if outcome.code != 0:
        wrong.append(f"exit {outcome.code}: {outcome.stderr[-300:]} {outcome.stdout[-300:]}")
    wrong += [f"T13 not as previewed: {d}" for d in differences(plan.applied_to(before), after)]
    if wrong or not plan.rows:
        return 0, wrong
    same_plan = Plan.of(outcome.document, subject)
    if same_plan != plan:
        wrong.append("T13 the plan of the run is another than the preview")
    run = outcome.document["result"]["run"]
    undo = ["undo", run, "--db", subject.db, "--profile", "./random.toml"]
    taken_back = subject.plan(*undo)
    outcome = subject.run(*undo, *UNGUARDED)
    restored = subject.snapshot()
    wrong += judge(after, restored, taken_back, [e for e in subject.journal() if e.run != run], outcome)
    if outcome.code != 0:
        wrong.append(f"the undo ends with {outcome.code}: {outcome.stderr[-300:]}")
    return len(plan.rows), wrong + [f"T14 not as it was: {d}" for d in differences(before, restored)]


def undo_after_changes(options: Options):
    """T14b: the application went on with k of the rows: exactly k are left as they are now, the others come back."""
    for mode in ("wal", "postgres"):
        with subject_of(mode) as subject:
            rng = options.rng("T14b " + mode)
            subject.tasks(8)
            before = subject.snapshot()
            campaign = Campaign(f"T14b undo after changes {subject.engine}/{mode}", options, 5)
            for k in range(9) if subject.engine == "sqlite" or options.long else (0, 1, 4, 7, 8):
                subject.reset()
                campaign.point(subject, f"{k} rows changed since", changed_since(subject, before, k, rng))
            yield campaign


def changed_since(subject, before: dict, k: int, rng) -> list[str]:
    outcome = subject.run("reconcile", "--db", subject.db, "--now", NOW, "--max-age", "1", *UNGUARDED)
    require(outcome.code == 0, f"the run: {outcome.stderr}")
    chosen = rng.sample([f"t{i}" for i in range(8)], k)
    for task in chosen:
        write(subject, rng.choice([f"UPDATE task_queue SET status = 'pending' WHERE task_id = '{task}'",
                                   f"UPDATE task_queue SET result = 'late' WHERE task_id = '{task}'",
                                   f"DELETE FROM task_queue WHERE task_id = '{task}'"]))
    changed = subject.snapshot()
    run = outcome.document["result"]["run"]
    undone = subject.run("undo", run, "--db", subject.db, *UNGUARDED)
    wrong = []
    if undone.code != (3 if k else 0):
        wrong.append(f"I7 exit {undone.code} with {k} changed rows: {undone.stderr[-300:]}")
    result = (undone.document or {}).get("result")
    if (told := result["applied"] if result else 0) != 8 - k:
        wrong.append(f"I7 it says {told} were restored, {8 - k} should be")
    name = {row["task_id"]: key for key, row in before["task_queue"].items()}
    expected = dict(before["task_queue"])
    for task in chosen:
        key = name[task.encode() and ("text", task.encode()) if subject.engine == "sqlite" else task]
        expected.pop(key)
        if key in changed["task_queue"]:
            expected[key] = changed["task_queue"][key]
    return wrong + [f"T14b {d}" for d in differences({"task_queue": expected}, {"task_queue": subject.snapshot()["task_queue"]})]


def write(subject, sql: str) -> None:
    if isinstance(subject, Server):
        subject.sql(sql)
        return
    connection = sqlite3.connect(subject.path, timeout=10)
    with connection:
        connection.execute(sql)
    connection.close()
