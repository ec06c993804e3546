"""T12: every command of the registry with every flag and every pair of flags, where it says that it only reads: no call
that writes touches a database file, no statement that writes reaches the server."""
import itertools
import os
import pathlib
import re

from campaign import NOW, Campaign, Options, UNGUARDED, repair, require, subject_of
from oracle import differences
from subjects import Failure

# A value for each option that takes one; options that are not here take none (checked against the program's own help).
VALUES = {
    "--profile": "task-queue", "--journal-schema": "taskctl", "--lock-timeout": "2s", "--now": NOW, "--accept-hazard": "young",
    "--max-age": "1", "--id": "t0", "--worker": "w", "--kind": "publish", "--queue": "q", "--user": "u", "--status": "running",
    "--rule": "overdue", "--certainty": "possible", "--reason": "test", "--max-changes": "9", "--batch-size": "2", "--lock-wait": "1s", "--reconnect-wait": "1s",
    "--confirm": "x", "--backup": "rows", "--max-stall": "1s", "--outcome": "failed", "--overdue": "failed", "--dead": "failed",
    "--limit": "2", "--output": "json", "--color": "never", "--colour": "never", "--sort": "age", "--older-than": "1d", "--sleep": "0ms",
    "--max-runtime": "9s", "--stop-file": "stop", "--keep": "3", "--keep-within": "9d", "--by": "status", "--expires": "1h",
    "--save-plan": "saved-{n}.plan", "--backup-dir": "copies", "--target": None, "--config": None, "--password-file": None, "--db": None,
    "--help": None, "--to": None, "--plan": None, "--name": None, "--verify": None, "--alive-from": "echo w",
}
# What only reads, with the words that it needs; what writes is made to only read by --dry-run.
COMMANDS = {
    ("list-stuck",): [], ("list-workers",): [], ("show",): ["t0"], ("stats",): [], ("history",): [], ("history", "show"): ["{run}"],
    ("history", "export"): [], ("history", "attempts"): [], ("profile", "check"): [], ("profile", "init"): [], ("explain",): ["overdue"], ("config", "show"): [],
    ("reconcile",): ["--dry-run"], ("cancel",): ["t0", "--force", "--dry-run"], ("undo",): ["{run}", "--dry-run"],
    ("release-worker",): ["w", "--dry-run"], ("history", "prune"): ["--older-than", "1d", "--dry-run"],
    ("guard", "install"): ["--dry-run"], ("guard", "remove"): ["--dry-run"], ("guard", "status"): [], ("guard", "print"): [],
    ("guard", "report"): [],
    ("observe",): ["--profile", "./seen.toml"], ("backup", "list"): [], ("grants",): ["--role", "somebody", "--kind", "repairer"], ("plan", "show"): ["shown.plan"],
    ("resume",): ["{run}", "--dry-run"],
}
# Makes other files or talks to nobody: these are not dry runs.
WRITING = {("backup",), ("backup", "verify"), ("backup", "restore"), ("guard",), ("profile",), ("profile", "list"), ("profile", "show"),
           ("profile", "init"),
           ("completion",), ("help",), ("config",), ("plan",), ("selftest",)}
WRITE_CALLS = "write,pwrite64,writev,pwritev,fsync,fdatasync,ftruncate,unlink,unlinkat,rename,renameat2,openat,mmap"
WRITE_STATEMENT = re.compile(r"LOG:  (?:statement|execute [^:]*): ")


def completed(subject, *words: str) -> list[str]:
    lines = subject.run("__complete", *words).stdout.splitlines()
    return [line.split("\t")[0] for line in lines[1:]]


def registry(subject) -> dict:
    """Every command and subcommand → its flags, as the program completes them."""
    flags = {}
    for name in completed(subject, ""):
        flags[(name,)] = completed(subject, name, "--")
        for line in subject.run(name, "--help").stdout.split("Subcommands:")[1:]:
            for sub in re.findall(r"^  ([a-z-]+)  ", line.split("\n\n")[0], re.M):
                flags[(name, sub)] = completed(subject, name, sub, "--")
    return flags


def flag_sets(flags: list[str], fixed: list[str], pairs: bool) -> list[list[str]]:
    usable = [f for f in flags if f not in fixed and VALUES.get(f, "") is not None]
    sets = [()] + [(f,) for f in usable] + (list(itertools.combinations(usable, 2)) if pairs else [])
    return [list(itertools.chain.from_iterable([f] + ([VALUES[f]] if f in VALUES else []) for f in chosen)) for chosen in sets]


def t12(options: Options):
    rng = options.rng("T12")
    for mode in ("wal", "delete", "postgres"):
        with subject_of(mode) as subject:
            subject.tasks(4)
            (subject.folder.path / "copies").mkdir()
            profile_that_watches(subject)
            log = len(server_log(subject))
            first = subject.run(*repair(subject.db), "--limit", "1", *UNGUARDED)
            require(first.code == 0, f"a run for the history: {first.stderr}")
            run = first.document["result"]["run"]
            require(mode != "postgres" or len(server_log(subject)) > log, "the server's log does not show a run that wrote")
            planned = subject.run(*repair(subject.db), "--save-plan", "shown.plan")
            require(planned.code == 0, f"a plan to show: {planned.stderr}")
            subject.save()
            found = registry(subject)
            missing = set(found) - set(COMMANDS) - WRITING
            campaign = Campaign(f"T12 {subject.engine}/{mode}", options, 20)
            if missing:
                campaign.point(subject, "the registry", [f"commands that this test does not know: {sorted(missing)}"])
            points = [(name, words) for name, fixed in COMMANDS.items() if name in found
                      for words in flag_sets(found[name], fixed, True)]
            total = len(points)
            if not options.long:
                points = [(name, []) for name in COMMANDS if name in found] + rng.sample(points, 12)
            before, codes = subject.snapshot(), {}
            mark = len(server_log(subject))
            for number, (name, words) in enumerate(points):
                fixed = [w.format(run=run) for w in COMMANDS[name]]
                arguments = [*name, *fixed, "--db", subject.db, *[w.format(n=number) for w in words]]
                if "--db" not in found[name]:
                    arguments = [*name, *fixed, *words]
                code, wrong = harmless(subject, arguments)
                codes[code] = codes.get(code, 0) + 1
                campaign.point(subject, " ".join(arguments), wrong)
            campaign.point(subject, "everything", [f"rows changed: {d}" for d in differences(before, subject.snapshot())])
            if mode == "postgres":
                wrote = server_log(subject)[mark:]
                campaign.point(subject, "the server's log", [f"the server was asked to write: {line}" for line in wrote[:5]])
            campaign.note(f"of {total} pairs, exits " + " ".join(f"{c}:{n}" for c, n in sorted(codes.items())))
            yield campaign


def profile_that_watches(subject) -> None:
    """A task without a start counts from when it was first seen: there is something to observe."""
    text = subject.run("profile", "show", "task-queue").stdout
    lines = [line + '\nstart_fallback = ["created", "first_seen"]' if line.startswith("created  = ") else line for line in text.splitlines()]
    (subject.folder.path / "seen.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def server_log(subject) -> list[str]:
    """The statements that write, as the server logs them for this database with log_statement = mod."""
    if subject.engine == "sqlite":
        return []
    name = subject.database.name
    subject.database.admin(f"ALTER DATABASE {name} SET log_statement = 'mod'")
    lines = log_file(subject.database.admin).read_text(encoding="utf-8", errors="replace").splitlines()
    return [line for line in lines if f"@{name} " in line and WRITE_STATEMENT.search(line)]


def log_file(admin) -> pathlib.Path:
    """The server writes its log to its standard error."""
    pid = int(admin("SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'"))
    return pathlib.Path(os.readlink(f"/proc/{pid}/fd/2"))


def harmless(subject, arguments: list[str]) -> tuple[int, list[str]]:
    if subject.engine == "postgres":
        outcome = subject.run(*arguments)
        return outcome.code, allowed(outcome)
    log = subject.folder.path / "trace"
    states = files(subject)
    outcome = subject.under_strace([], *arguments, log=str(log), trace=WRITE_CALLS)
    wrong = allowed(outcome)
    path = re.escape(str(subject.path))
    opened = re.compile(rf'openat\([^"]*"{path}(?:-wal|-journal)?", (?P<how>[^)]*)\) = \d+')
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        if (match := opened.search(line)) and ("O_RDWR" in match["how"] or "O_WRONLY" in match["how"] or "O_CREAT" in match["how"]):
            wrong.append(f"T12 it opens the database for writing: {line}")
        if re.search(rf'(?:unlink|rename)\w*\([^)]*"{path}', line):
            wrong.append(f"T12 {line}")
    if (now := files(subject)) != states:
        wrong.append(f"T12 files: {states} → {now}")
    return outcome.code, wrong


def files(subject) -> dict:
    return {p.name: (p.stat().st_size, p.stat().st_mtime_ns) for p in subject.folder.path.glob("tasks*")}


def allowed(outcome) -> list[str]:
    """A pair of flags may make no sense (2, 5) or find nothing (3, 4, 1); it may not crash or reach a state of writing."""
    return [] if outcome.code in (0, 1, 2, 3, 4, 5, 10) else [f"I7 exit {outcome.code}: {outcome.stderr[-300:]!r}"]
