#!/usr/bin/env python3
"""What `taskctl grants` prints is enough, and no more: every command under a reader and a repairer role.

For one scene (argument): the printed statements are run as they are by an administrator, in a database in which PUBLIC has
no right at all. Then every command of the registry is run as the administrator and as the role, in equal copies, and must
do the same: exit code, standard output, rows. A reader's writing commands end with 10, name the missing right and change
nothing. With --each-right every right that was granted is then taken back alone, and some command must notice: minutes
for a scene with many columns, so ctest asks for it in two of them.

A command that the registry has and COMMANDS has not fails the test.
"""
import dataclasses
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "faults"))
from harness import Failure, Folder, Postgres, TASKCTL, psql, require, same  # noqa: E402
from scenes import ODD_PROFILE, SCENES, Scene  # noqa: E402


@dataclasses.dataclass
class Case:
    arguments: list[str]
    writes: bool = False          # a reader gets 10
    owner: bool = False           # only the owner of the table may: 10 for both
    whole: bool = False           # reads the whole database: 7 where a role may not
    differs: bool = False         # what it prints tells of the role
    interrupted: bool = False     # after its first batch: there is something to resume


def commands(scene: Scene, folder: pathlib.Path) -> dict[str, list[Case]]:
    """Cases of every command, in an order in which each writing one has something to do."""
    apply = ["--yes", "--no-backup"]
    backup_dir = ["--backup-dir", str(folder / "backups")]
    undo = Case(["undo", "--last", "--yes", "--no-backup"], writes=True)
    look = ["--now", scene.now]
    hazards = [word for hazard in ("young", *scene.hazards) for word in ("--accept-hazard", hazard)]
    return {
        "list-stuck": [Case(["list-stuck", *look, "--include-fine"]), Case(["list-stuck", *look, "--output", "json"])],
        "list-workers": [Case(["list-workers", *look])],
        "show": [Case(["show", scene.stuck, *look])],
        "stats": [Case(["stats", *look])],
        # 2 where the profile has a time for everything; the odd one has not.
        "observe": [Case(["observe"])],
        "explain": [Case(["explain", "dead"])],
        "config": [Case(["config", "show"])],
        "completion": [Case(["completion", "bash"])],
        "profile": [Case(["profile", "check"], differs=True)],
        "grants": [Case(["grants", "--role", "somebody", "--kind", "repairer"])],
        "history": [Case(["history"]), Case(["history", "--id", scene.stuck]), Case(["history", "export"], differs=True),
                    Case(["history", "attempts"], differs=True),
                    Case(["history", "prune", "--older-than", "1d", "--dry-run"])],
        "guard": [Case(["guard", "status"]), Case(["guard", "print"]), Case(["guard", "report"]),
                  Case(["guard", "install", "--yes"], owner=True)],
        "backup": [Case(["backup", *backup_dir], whole=True), Case(["backup", "list", *backup_dir], differs=True)],
        "reconcile": [Case(["reconcile", *look, *scene.reconcile, "--dry-run"]),
                      Case(["reconcile", *look, *scene.reconcile, "--yes", "--backup", scene.backup, *backup_dir], writes=True),
                      undo],
        "plan": [Case(["reconcile", *look, *scene.reconcile, "--save-plan", "{db}.plan"]), Case(["plan", "show", "{db}.plan"])],
        "resume": [Case(["reconcile", *look, *scene.reconcile, *apply, "--batch-size", "1", "--sleep", "60s"], writes=True,
                        interrupted=True),
                   Case(["resume", "{run}", "--dry-run"]), Case(["resume", "{run}", *apply], writes=not scene.one_batch), undo],
        "cancel": [Case(["cancel", scene.running, *look, "--force", "--dry-run", *hazards]),
                   Case(["cancel", scene.running, *look, "--force", "--yes", "--backup", "tables", *backup_dir, *hazards],
                        writes=True), undo],
        "release-worker": [Case(["release-worker", scene.worker, *look, "--dry-run"]),
                           Case(["release-worker", scene.worker, *look, *apply], writes=True)],
        "undo": [Case(["undo", "--last", "--dry-run"]), undo],
        "prune": [Case(["history", "prune", "--older-than", "0s", "--yes"], writes=True)],
    }


def registry() -> list[str]:
    result = subprocess.run([TASKCTL, "__complete", ""], capture_output=True, text=True, check=True)
    names = [line.split("\t")[0] for line in result.stdout.splitlines()[1:]]
    return [name for name in names if name != "help"]


LAST_RECONCILE = "SELECT id FROM taskctl.taskctl_runs WHERE command = 'reconcile' ORDER BY started_at DESC LIMIT 1"
BEGUN = "SELECT count(*) FROM taskctl.taskctl_changes c JOIN taskctl.taskctl_runs r ON r.id = c.run_id WHERE r.state = 'started'"


class Database:
    """A copy of a database, or a new one, in which PUBLIC has no right."""

    def __init__(self, template: str = "template0") -> None:
        self.name = "roles_" + uuid.uuid4().hex[:12]
        Postgres.admin(f"CREATE DATABASE {self.name} TEMPLATE {template}")
        Postgres.admin(f"REVOKE ALL ON DATABASE {self.name} FROM PUBLIC")

    def __enter__(self) -> "Database":
        return self

    def __exit__(self, *_) -> None:
        Postgres.admin(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")

    def content(self, scene: Scene) -> str:
        return psql(self.name, " UNION ALL ".join(
            f"SELECT (SELECT string_agg(t::text, E'\\n' ORDER BY t::text) FROM {table} t)" for table in scene.tables))


def has_begun(database: Database) -> bool:
    return psql(database.name, "SELECT to_regclass('taskctl.taskctl_changes')").strip() != "" and psql(database.name, BEGUN).strip() != "0"


def interrupt(database: Database, command: list[str], env: dict, folder: pathlib.Path) -> subprocess.CompletedProcess:
    """Runs a repair and interrupts it when a batch is in the journal."""
    with subprocess.Popen(command, env=env, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        begun = time.monotonic()
        while run.poll() is None and not has_begun(database):
            require(time.monotonic() - begun < 30, "no batch within 30 s")
            time.sleep(0.05)
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=30)
    return subprocess.CompletedProcess(command, run.returncode, out, err)


class Roles:
    """One scene under one kind of role."""

    def __init__(self, scene: Scene, kind: str, folder: Folder) -> None:
        self.scene, self.kind, self.folder = scene, kind, folder
        self.role = f"roles {kind} {uuid.uuid4().hex[:12]}"
        if scene.profile.endswith(".toml"):
            (folder.path / scene.profile).write_text(ODD_PROFILE, encoding="utf-8")

    def taskctl(self, database: Database, role: str | None, case: Case) -> subprocess.CompletedProcess:
        arguments = [word.replace("{db}", database.name) for word in case.arguments]
        if "{run}" in arguments:
            arguments[arguments.index("{run}")] = psql(database.name, LAST_RECONCILE).strip()
        if arguments[0] not in ("explain", "completion", "config"):
            arguments += ["--db", f"dbname={database.name}", "--profile", self.scene.profile]
        env = dict(self.folder.env)
        if role is not None:
            env.update(PGUSER=role, PGPASSWORD="x")
        if case.interrupted:
            return interrupt(database, [TASKCTL, *arguments], env, self.folder.path)
        return subprocess.run([TASKCTL, *arguments], env=env, cwd=self.folder.path, capture_output=True, text=True, timeout=60,
                              check=False)

    def cases(self) -> list[Case]:
        table = commands(self.scene, self.folder.path)
        same(sorted(set(case.arguments[0] for cases in table.values() for case in cases)), sorted(registry()),
             "commands with a case here, and in the registry")
        return [case for cases in table.values() for case in cases]

    def template(self) -> "Database":
        """With a repair that the administrator did not finish when the role only reads: history, undo and resume have something."""
        database = Database()
        psql(database.name, "REVOKE ALL ON SCHEMA public FROM PUBLIC")
        psql(database.name, self.scene.schema_and_rows)
        if self.kind == "reader":
            begun = next(case for case in self.cases() if case.interrupted)
            if self.scene.one_batch:
                begun = Case([*begun.arguments, "--id", self.scene.stuck])
            done = self.taskctl(database, None, begun)
            same(done.returncode, 0 if self.scene.one_batch else 130, f"repair by the administrator ({done.stderr})")
        return database

    def grant(self, database: Database) -> list[str]:
        """Runs what is printed, as it is printed; returns the GRANTs."""
        printed = self.taskctl(database, None, Case(["grants", "--role", self.role, "--kind", self.kind,
                                                     *(["--prune"] if self.kind == "repairer" else [])]))
        same(printed.returncode, 0, f"grants ({printed.stderr})")
        result = subprocess.run(["psql", "-qX", "-1", "-v", "ON_ERROR_STOP=1", "-d", database.name], input=printed.stdout,
                                capture_output=True, text=True, check=False)
        same(result.returncode, 0, f"psql < printed statements ({result.stderr})")
        psql(database.name, f"ALTER ROLE \"{self.role}\" PASSWORD 'x'")
        return [line for line in printed.stdout.splitlines() if line.startswith("GRANT ")]

    def drop_role(self) -> None:
        """After the databases, and with them all that it was granted."""
        Postgres.admin(f"DROP ROLE IF EXISTS \"{self.role}\"")

    def copy(self, template: Database) -> Database:
        database = Database(template.name)
        psql(database.name, f"GRANT CONNECT ON DATABASE {database.name} TO \"{self.role}\"")
        return database


def normal(text: str, database: Database) -> str:
    text = text.replace(database.name, "DATABASE")
    text = re.sub(r"\b\d{8}T\d{6}-[0-9a-f]{6}\b", "RUN", text)
    return re.sub(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", "TIME", text)


def outcome(case: Case, result: subprocess.CompletedProcess, database: Database) -> tuple:
    """What a user sees of a command, except for what differs from run to run."""
    warnings = [line for line in result.stderr.splitlines() if line.startswith("warning: ") and "database's clock" not in line]
    return result.returncode, "" if case.writes else normal(result.stdout, database), warnings


def text_of(case: Case) -> str:
    return " ".join(case.arguments[:3])


def expected_code(case: Case, kind: str, admin: int) -> tuple[int, ...]:
    if case.whole:
        return (0, 7)
    if admin in (0, 130) and (case.owner or (case.writes and kind == "reader")):
        return (10,)
    return (admin,)


def compare(roles: Roles, case: Case, admin_db: Database, role_db: Database) -> None:
    """One command as the administrator and as the role, each in a copy of its own."""
    before = role_db.content(roles.scene)
    admin = roles.taskctl(admin_db, None, case)
    role = roles.taskctl(role_db, roles.role, case)
    what = f"{roles.kind}: {text_of(case)}"
    require(role.returncode in expected_code(case, roles.kind, admin.returncode),
            f"{what}: exit {role.returncode}, administrator {admin.returncode}: {role.stderr}")
    if role.returncode == 10:
        require(re.search(r"(UPDATE|INSERT|DELETE) |belongs to role", role.stderr) is not None,
                f"{what}: does not name the missing right: {role.stderr}")
    if role.returncode == 7:
        require("GRANT " in role.stderr, f"{what}: does not name the missing right: {role.stderr}")
    if role.returncode != admin.returncode:
        same(role_db.content(roles.scene), before, f"{what}: rows after a refusal")
        return
    same(role_db.content(roles.scene), admin_db.content(roles.scene), f"{what}: rows")
    if not case.writes and not case.differs and not case.whole:
        same(normal(role.stdout, role_db), normal(admin.stdout, admin_db), f"{what}: standard output")
    if text_of(case) == "profile check" and roles.kind == "repairer":
        require("missing privileges" not in role.stdout, f"{what}: {role.stdout}")


def check_enough(roles: Roles, template: Database) -> int:
    """Every command. The administrator's copy is a new one after a command that a role is refused."""
    count = 0
    cases = roles.cases()
    with roles.copy(template) as role_db:
        alone = [case for case in cases if case.owner or (case.writes and roles.kind == "reader")]
        with roles.copy(template) as admin_db:
            for case in (case for case in cases if case not in alone):
                compare(roles, case, admin_db, role_db)
                count += 1
        for case in alone:
            with roles.copy(template) as admin_db:
                compare(roles, case, admin_db, role_db)
            count += 1
    return count


def single_rights(grant: str, role: str) -> list[str]:
    """A GRANT as REVOKEs of one right on one column or object each."""
    found = re.fullmatch(r'GRANT (.+) ON (.+) TO "(.+)";', grant)
    require(found is not None and found.group(3) == role, f"not understood: {grant}")
    privileges, target = found.group(1), found.group(2)
    columns = re.fullmatch(r"(\w+) \((.+)\)", privileges)
    parts = [f"{columns.group(1)} ({column})" for column in columns.group(2).split(", ")] if columns else privileges.split(", ")
    kind, _, names = target.partition(" ")
    objects = [f"{kind} {names}"] if kind == "ROUTINE" else [f"{kind} {name}" for name in names.split(", ")]
    return [f'REVOKE {part} ON {one} FROM "{role}"' for part in parts for one in objects]


def first_difference(roles: Roles, database: Database, expected: list[tuple]) -> str:
    """Runs the commands until one does not end as it did with all rights; its name, or nothing."""
    for case, before in zip(battery(roles), expected):
        if outcome(case, roles.taskctl(database, roles.role, case), database) != before:
            return text_of(case)
    return ""


def battery(roles: Roles) -> list[Case]:
    table = commands(roles.scene, roles.folder.path)
    if roles.kind == "repairer":
        return [case for name in ("reconcile", "cancel", "prune") for case in table[name]]
    return [case for name in ("list-stuck", "list-workers", "history", "reconcile", "undo") for case in table[name]
            if not case.writes]


def state_of(roles: Roles, database: Database) -> str:
    return database.content(roles.scene) + psql(database.name, "SELECT count(*), string_agg(state, ',') FROM taskctl.taskctl_runs")


def check_no_more(roles: Roles, template: Database, grants: list[str]) -> int:
    with roles.copy(template) as database:
        expected = [outcome(case, roles.taskctl(database, roles.role, case), database) for case in battery(roles)]
    rights = [right for grant in grants for right in single_rights(grant, roles.role)]
    todo = list(rights)
    while todo:  # one copy serves until a command has changed something in it
        with roles.copy(template) as database:
            untouched = state_of(roles, database)
            while todo and state_of(roles, database) == untouched:
                check_needed(roles, database, todo.pop(), expected)
    return len(rights)


def check_needed(roles: Roles, database: Database, right: str, expected: list[tuple]) -> None:
    right = re.sub(r"ON DATABASE \S+", f"ON DATABASE {database.name}", right)
    psql(database.name, right)
    noticed = first_difference(roles, database, expected)
    psql(database.name, re.sub("^REVOKE", "GRANT", re.sub(' FROM (?="roles )', " TO ", right)))
    known = right.replace(f' FROM "{roles.role}"', "").removeprefix("REVOKE ")
    if known in roles.scene.spare:
        require(not noticed, f"{known} is not spare: '{noticed}' needs it")
    else:
        require(bool(noticed), f"{roles.kind}: no command here needs {known}")


def main() -> int:
    scene = SCENES[sys.argv[1]]()
    failed = 0
    for kind in ("reader", "repairer"):
        with Folder() as folder:
            roles = Roles(scene, kind, folder)
            try:
                with roles.template() as template:
                    grants = roles.grant(template)
                    print(f"{kind}: {check_enough(roles, template)} commands as the administrator's")
                    if "--each-right" in sys.argv[2:]:
                        print(f"{kind}: {check_no_more(roles, template, grants)} rights, each needed or explained")
            except (Failure, subprocess.TimeoutExpired) as error:
                failed += 1
                print(f"FAILED  {error}")
            finally:
                roles.drop_role()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
