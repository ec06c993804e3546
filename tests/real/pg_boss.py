#!/usr/bin/env python3
"""pg-boss 9.0.3, 10.4.2 and 12.35.0 on PostgreSQL."""
import concurrent.futures
import json

from lifecycle import System, and_undone, finish, hold, scene_of, unchanged_by, whole_life
from scene import check, same

STARTED = {9: "startedon", 10: "started_on", 12: "started_on"}


def system(version: int, schema: str = "pgboss") -> System:
    def age(scene, jobs) -> None:
        ids = ",".join(f"'{job}'" for job in jobs)
        beat = ", heartbeat_on = heartbeat_on - interval '16 min'" if version == 12 else ""
        started = STARTED[version]
        scene.sql(f"UPDATE {schema}.job SET {started} = {started} - interval '16 min'{beat} WHERE id IN ({ids})")

    key = (lambda job: job) if version == 9 else (lambda job: json.dumps(["mail", job], separators=(",", ":")))
    return System(profile="pg-boss", engine="postgres", program="pg-boss.mjs", tables=[f"{schema}.job"], age=age, key=key,
                  variables={"REAL_VERSION": str(version), "REAL_SCHEMA": schema},
                  newer=f"UPDATE {schema}.version SET version = 99")


def last_attempt(version: int) -> None:
    usual = system(version)
    with scene_of(usual) as scene:
        jobs = scene.add("last")
        scene.kill(hold(scene, "last"))
        usual.age(scene, jobs)
        and_undone(scene, usual, "reconcile")
        completed = "completedon" if version == 9 else "completed_on"
        same(scene.sql(f"SELECT state, {completed} IS NOT NULL, output->'value'->>'message' LIKE 'ended as stuck%' "
                       "FROM pgboss.job WHERE name = 'mail'"), "failed|t|t", "the job without attempts left")


def other_schema(version: int) -> None:
    moved = system(version, "jobs_app")
    with scene_of(moved) as scene:
        jobs = scene.add("a")
        scene.kill(hold(scene, "a"))
        moved.age(scene, jobs)
        check("jobs_app" not in scene.taskctl("list-stuck", code=11).out, "the schema is not guessed")
        scene.profile += ":schema=jobs_app"
        same(scene.stuck(), [moved.key(jobs[0])], "stuck in another schema")
        and_undone(scene, moved, "reconcile")
        finish(scene, "finish", "a")


def beating() -> None:
    """A queue with a heartbeat: a living worker's job is alive whatever its age, and dead seconds after the last beat."""
    usual = system(12)
    with scene_of(usual) as scene:
        job = scene.add("beating")[0]
        key = json.dumps(["beating", job], separators=(",", ":"))
        worker = hold(scene, "beating")
        scene.sql("UPDATE pgboss.job SET started_on = started_on - interval '3 min' WHERE name = 'beating'")
        same(scene.stuck("--max-age", "1m"), [], "stuck while it beats")
        check("alive" in scene.taskctl("cancel", key, "--force", "--yes", code=5).out, "alive is a hazard")
        unchanged_by(scene, usual, "reconcile", "--max-age", "1m", "--accept-hazard", "young", "--yes", code=0)
        scene.kill(worker)
        scene.wait_until("SELECT heartbeat_on < now() - interval '11 s' FROM pgboss.job WHERE name = 'beating'", "t")
        same(scene.stuck(), [key], "stuck after the last beat")
        and_undone(scene, usual, "reconcile")
        finish(scene, "finish", "beating")


def partition() -> None:
    """A queue with a table of its own is found and repaired through the parent."""
    usual = system(12)
    with scene_of(usual) as scene:
        jobs = scene.add("apart")
        scene.kill(hold(scene, "apart"))
        usual.age(scene, jobs)
        same(scene.stuck(), [json.dumps(["apart", jobs[0]], separators=(",", ":"))], "stuck in a partition")
        and_undone(scene, usual, "reconcile")
        finish(scene, "finish", "apart")


def policy() -> None:
    """A queue that has room for one job in `retry`: the second stays as it is, and every other job is repaired."""
    usual = system(12)
    with scene_of(usual) as scene:
        first = scene.add("stately1")[0]
        scene.sql("UPDATE pgboss.job SET state = 'retry', started_on = now(), start_after = now() + interval '1 hour' "
                  f"WHERE id = '{first}'")
        jobs = scene.add("stately2", "a")
        scene.kill(hold(scene, "stately2", "a"))
        usual.age(scene, jobs)
        partly = scene.taskctl("reconcile", "--yes", code=3)
        check("unique" in partly.text() and "job_common_i3" in partly.text(), partly.text())
        same(scene.sql("SELECT name, state FROM pgboss.job ORDER BY name, state"), "mail|retry\nstately|retry\nstately|active",
             "states")


def run(version: int) -> None:
    with scene_of(system(version)) as scene:
        whole_life(scene, system(version))
    last_attempt(version)


if __name__ == "__main__":
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        done = [pool.submit(run, 12), pool.submit(run, 10), pool.submit(run, 9), pool.submit(beating),
                pool.submit(partition), pool.submit(policy), pool.submit(other_schema, 10)]
    for future in done:
        future.result()
