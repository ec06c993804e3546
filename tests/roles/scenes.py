"""The databases of the role tests: one for each built-in profile, and one with odd names; what is done in them."""
import dataclasses
import os
import pathlib
import re

FIXTURES = pathlib.Path(os.environ["TASKCTL_SOURCE"]) / "tests" / "fixtures"


@dataclasses.dataclass
class Scene:
    profile: str          # as given to --profile
    now: str
    schema_and_rows: str  # SQL
    stuck: str            # a task that reconcile repairs
    running: str          # a task that is cancelled by force
    worker: str           # its tasks are released
    tables: list[str]
    reconcile: list[str] = dataclasses.field(default_factory=list)  # what reconcile needs to repair everything
    hazards: list[str] = dataclasses.field(default_factory=list)
    backup: str = "rows"      # before reconcile
    one_batch: bool = False   # its changes depend on each other: what is interrupted after a batch is done
    # What a GRANT gives although no command here needs it, with the reason; a reason that is not true fails the test.
    spare: dict[str, str] = dataclasses.field(default_factory=dict)


def fixture(name: str) -> str:
    return (FIXTURES / name).read_text(encoding="utf-8")


def to_postgres(sqlite: str) -> str:
    """The types of a SQLite fixture as an application would choose them in PostgreSQL; times stay texts and numbers."""
    text = sqlite.replace("INTEGER PRIMARY KEY AUTOINCREMENT", "bigserial PRIMARY KEY")
    text = re.sub(r"TIMESTAMP( DEFAULT CURRENT_TIMESTAMP)?", "text", text)
    return text.replace("INTEGER", "bigint")


def workspace_tasks() -> Scene:
    return Scene(profile="workspace-tasks", now="2025-11-07T20:00:00+08:00",
                 schema_and_rows=fixture("workspace_tasks.postgres.sql"), stuck="572", running="576",
                 worker="agent-pool-z73eh8ihywlmgx0x-1762507433188454000",
                 tables=["workspace_tasks", "workspaces", "agents", "task_logs"])


def cluster() -> Scene:
    # Every account is wrong, so that every column of an account is written.
    wrong = "UPDATE worker_registry SET (allocated_cpu, allocated_memory, allocated_storage, allocated_gpu, available_cpu, " \
            "available_memory, available_storage, available_gpu) = (91, 92, 93, 94, 95, 96, 97, 98);"
    return Scene(profile="cluster", now="2025-11-16T13:20:00Z", schema_and_rows=fixture("cluster.postgres.sql") + wrong,
                 stuck="task-1763290004", running="task-1763290005", worker="worker-2",
                 tables=["tasks", "assignments", "results", "worker_registry"], backup="tables", one_batch=True)


def jobs() -> Scene:
    return Scene(profile="jobs", now="2025-07-18T12:00:00Z", schema_and_rows=to_postgres(fixture("jobs.sqlite.sql")),
                 stuck="job_mctkbw0n_ff38d214", running="job_mctkc4bb_55556666", worker="nobody",
                 tables=["jobs", "pending_cancellations"], reconcile=["--max-age", "1"])


def task_queue() -> Scene:
    return Scene(profile="task-queue", now="2025-12-19T16:54:56+08:00",
                 schema_and_rows=to_postgres(fixture("task_queue.sqlite.sql")), stuck="task_0048", running="task_0053",
                 worker="nobody", tables=["task_queue"], reconcile=["--max-age", "1"])


ODD_PROFILE = '''format = 1
name = "odd"
engines = ["postgres"]
safety = "full"

[task]
table = "Odd App.Task \\"List\\""
key = ["Id"]
status = "State"

[task.time]
started = "began"
finished = "ended"
start_fallback = ["first_seen"]

[encoding.database]
format = "timestamptz"

[times.'Odd App.Task "List"']
began = "database"
ended = "database"

[[class]]
when = """"State"::text = 'broken' AND "Odd App".is_broken("Id") AND "Id" NOT IN (SELECT x."task id" FROM "Odd App"."Kept Tasks" x)"""
class = "active"
contradiction = true
outcome = "failed"

[[class]]
column = "State"
active = ["running"]
failed = ["failed"]
parked = ["broken"]

[defaults]
contradiction = "failed"
overdue = "failed"
cancel = "failed"
force-cancel = "failed"

[[outcome.failed.op]]
do = "update"
set = { State = "'failed'", ended = "coalesce(ended, :now)" }

[[outcome.failed.op]]
do = "insert"
table = "Odd App.Events"
match = { "task id" = "Id" }
set = { what = "'ended: ' || :reason" }
'''

ODD_SCHEMA = '''
CREATE SCHEMA "Odd App";
CREATE SCHEMA "Odd Types";
CREATE SCHEMA "Odd Numbers";
CREATE TYPE "Odd Types"."State" AS ENUM ('running', 'broken', 'failed');
CREATE TABLE "Odd App"."Task ""List""" ("Id" bigint, "State" "Odd Types"."State" NOT NULL, began timestamptz, ended timestamptz,
  PRIMARY KEY ("Id")) PARTITION BY RANGE ("Id");
CREATE TABLE "Odd App"."Part 1" PARTITION OF "Odd App"."Task ""List""" FOR VALUES FROM (0) TO (3);
CREATE TABLE "Odd App"."Part 2" PARTITION OF "Odd App"."Task ""List""" FOR VALUES FROM (3) TO (100);
CREATE TABLE "Odd App"."Kept Tasks" ("task id" bigint PRIMARY KEY);
CREATE SEQUENCE "Odd Numbers"."Event Numbers";
CREATE TABLE "Odd App"."Events" (number bigint PRIMARY KEY DEFAULT nextval('"Odd Numbers"."Event Numbers"'), "task id" bigint, what text);
CREATE FUNCTION "Odd App".is_broken(bigint) RETURNS boolean LANGUAGE sql AS 'SELECT $1 > 0';
REVOKE EXECUTE ON FUNCTION "Odd App".is_broken(bigint) FROM PUBLIC;
INSERT INTO "Odd App"."Task ""List""" VALUES (1, 'running', '2025-01-01 00:00:00Z', NULL), (2, 'broken', '2025-01-01 00:00:00Z', NULL),
  (3, 'running', '2025-01-01 00:00:00Z', NULL), (4, 'broken', '2025-01-01 00:00:00Z', NULL), (5, 'failed', '2025-01-01 00:00:00Z', now());
INSERT INTO "Odd App"."Kept Tasks" VALUES (4);
'''


def odd_names() -> Scene:
    return Scene(profile="odd.toml", now="2025-01-02T00:00:00Z", schema_and_rows=ODD_SCHEMA, stuck="2", running="1",
                 worker="nobody", tables=['"Odd App"."Task ""List"""', '"Odd App"."Kept Tasks"', '"Odd App"."Events"'],
                 reconcile=["--max-age", "1"])


SCENES = {scene.__name__: scene for scene in (workspace_tasks, cluster, jobs, task_queue, odd_names)}
