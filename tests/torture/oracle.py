"""The seven invariants that every torture test checks, over rows, journal, exit code and output.

I1 no row lost or added   I2 every row is byte for byte its before-image or its planned after-image
I3 changed rows and journal entries correspond one to one   I4 rows outside the plan untouched
I5 a second run converges to the plan   I6 undo restores the original bytes   I7 exit code and output tell the truth

A snapshot is {table: {key: {column: cell}}}; a cell is what the engine stores, type included (subjects.py).
"""
import collections
import dataclasses
import json

NOTHING_CHANGED = {1, 2, 4, 5, 6, 7, 8, 10, 11, 13}
AFTER_A_COMMIT = {0, 3, 9, 12, 70, 129, 130, 131, 143}
KILLED = -9


@dataclasses.dataclass
class Outcome:
    """How the process ended and what it said."""
    code: int
    stdout: str = ""
    stderr: str = ""

    @property
    def document(self) -> dict | None:
        try:
            return json.loads(self.stdout)
        except json.JSONDecodeError:
            return None


@dataclasses.dataclass
class Planned:
    """One row that the plan changes: None stands for "no such row"."""
    table: str
    key: tuple
    before: dict | None
    after: dict | None


@dataclasses.dataclass
class Plan:
    rows: dict  # (table, key) → Planned
    tasks: int

    @classmethod
    def of(cls, document: dict, subject) -> "Plan":
        rows: dict = {}
        for task in document["tasks"]:
            for change in task["changes"]:
                table = subject.table_name(change["table"])
                before = change["before"] and subject.cells(change["before"])
                after = change["after"] and subject.cells(change["after"])
                place = (table, subject.key_of(table, before or after))
                if place in rows:  # two operations on one row: only the ends are ever committed
                    rows[place].after = after
                else:
                    rows[place] = Planned(*place, before, after)
        return cls(rows, document["task_count"])

    def applied_to(self, snapshot: dict) -> dict:
        """The snapshot as it is when everything is done."""
        result = {table: dict(rows) for table, rows in snapshot.items()}
        for (table, key), change in self.rows.items():
            if change.after is None:
                result[table].pop(key, None)
            else:
                result[table][key] = change.after
        return result


def differences(left: dict, right: dict) -> list[str]:
    """At most five, in words."""
    found = []
    for table in sorted(set(left) | set(right)):
        rows, others = left.get(table, {}), right.get(table, {})
        for key in sorted(set(rows) | set(others), key=repr):
            if rows.get(key) != others.get(key):
                found.append(f"{table} {key}: {changed_cells(rows.get(key), others.get(key))}")
    return found[:5]


def changed_cells(row: dict | None, other: dict | None) -> str:
    if row is None or other is None:
        return "added" if row is None else "lost"
    return ", ".join(f"{c}: {row.get(c)!r:.60} → {other.get(c)!r:.60}" for c in sorted(set(row) | set(other))
                     if row.get(c) != other.get(c))


def changed_places(before: dict, after: dict) -> set:
    places = set()
    for table in set(before) | set(after):
        rows, others = before.get(table, {}), after.get(table, {})
        places |= {(table, key) for key in set(rows) | set(others) if rows.get(key) != others.get(key)}
    return places


def judge(before: dict, after: dict, plan: Plan, entries: list, outcome: Outcome, foreign: frozenset = frozenset()) -> list[str]:
    """I1-I4 and I7 after one run. `entries` are the journal's of this run; `foreign` are places that an application
    wrote meanwhile: their rows are its own business, their entries are not."""
    changed = changed_places(before, after) - foreign
    return (_rows(before, after, plan, changed) + _journal(before, after, plan, entries, changed, foreign)
            + _truth(plan, entries, outcome, changed))


def _rows(before: dict, after: dict, plan: Plan, changed: set) -> list[str]:
    wrong = []
    for table, key in sorted(changed, key=repr):
        row, old = after.get(table, {}).get(key), before.get(table, {}).get(key)
        planned = plan.rows.get((table, key))
        if planned is None:
            wrong.append(f"I4 {table} {key} is not in the plan and was changed: {changed_cells(old, row)}")
        elif row != planned.after:
            name = "I1" if row is None or old is None else "I2"
            wrong.append(f"{name} {table} {key} is neither as before nor as planned: {changed_cells(planned.after, row)}")
    return wrong


def _journal(before: dict, after: dict, plan: Plan, entries: list, changed: set, foreign: frozenset) -> list[str]:
    wrong = []
    seen = collections.defaultdict(list)
    for entry in entries:
        seen[(entry.table, entry.key)].append(entry)
    for place in sorted(changed - set(seen), key=repr):
        wrong.append(f"I3 {place} was changed without a journal entry")
    for place, found in sorted(seen.items(), key=repr):
        table, key = place
        if place not in foreign and found[-1].after != found[0].before and place not in changed:
            wrong.append(f"I3 {place} has a journal entry and was not changed")
        if place not in foreign and found[0].before != before.get(table, {}).get(key):
            wrong.append(f"I3 {place}: the journalled before-image is another: "
                         f"{changed_cells(before.get(table, {}).get(key), found[0].before)}")
        if place not in foreign and found[-1].after != after.get(table, {}).get(key):
            wrong.append(f"I3 {place}: the journalled after-image is another: "
                         f"{changed_cells(after.get(table, {}).get(key), found[-1].after)}")
        if place not in plan.rows:
            wrong.append(f"I4 {place} was journalled and is not in the plan")
    return wrong


def _truth(plan: Plan, entries: list, outcome: Outcome, changed: set) -> list[str]:
    code, tasks = outcome.code, len({entry.task for entry in entries})
    if code == KILLED:
        return []
    wrong = []
    if code not in NOTHING_CHANGED | AFTER_A_COMMIT:
        wrong.append(f"I7 exit {code} is not in the table: {outcome.stderr[-300:]!r}")
    if code in NOTHING_CHANGED and changed:
        wrong.append(f"I7 exit {code} says that nothing changed, {len(changed)} rows did: {outcome.stderr[-300:]!r}")
    document = outcome.document
    result = document.get("result") if document else None
    if result is not None:
        told, units = result["applied"], tasks_of(entries)
        # In doubt: what the last batch did is what could not be found out.
        if told != units and not (code == 9 and told <= units):
            wrong.append(f"I7 it says that {told} tasks were applied, the journal has {units}")
        if code == 0 and result["applied"] + result["moved_on"] < document["task_count"]:
            wrong.append(f"I7 exit 0, and of {document['task_count']} tasks {told} were applied, {result['moved_on']} had moved on")
    elif code == 0 and document is not None and plan.rows and not tasks:
        wrong.append("I7 exit 0, and nothing of the plan was done")
    if document is not None and document.get("exit", {}).get("code", code) != code:
        wrong.append(f"I7 exit {code}, the output says {document['exit']}")
    if code == 3 and document is not None and result is not None and not any(
            result[k] for k in ("conflicts", "busy", "failed", "not_tried", "failure", "reports")):
        wrong.append("I7 exit 3 without saying what was not done")
    return wrong


def tasks_of(entries: list) -> int:
    """Units of the plan: the entries of one task, or of one derived row."""
    return len({entry.task or (entry.table, entry.key) for entry in entries})
