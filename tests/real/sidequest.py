#!/usr/bin/env python3
"""sidequest 1.16.4 on SQLite and PostgreSQL."""
import concurrent.futures
import json

from lifecycle import System, and_undone, finish, hold, scene_of, whole_life
from scene import same


def move_back(scene, column: str, minutes: int, jobs) -> None:
    value = f"{column} - {minutes} * 60000" if scene.engine == "sqlite" else f"{column} - interval '{minutes} min'"
    scene.sql(f"UPDATE sidequest_jobs SET {column} = {value} WHERE id IN ({','.join(jobs)})")


def age(scene, jobs) -> None:
    move_back(scene, "claimed_at", 11, jobs)
    move_back(scene, "attempted_at", 11, jobs)


def system(engine: str) -> System:
    return System(profile="sidequest", engine=engine, program="sidequest.mjs", tables=["sidequest_jobs"], age=age,
                  worker="SELECT claimed_by FROM sidequest_jobs WHERE id = %s",
                  newer="INSERT INTO sidequest_migrations (name, batch) VALUES ('4_new.cjs', 2)")


def limits(engine: str) -> None:
    """The job's own timeout, a claim that never ran, and the last attempt."""
    usual = system(engine)
    with scene_of(usual) as scene:
        jobs = scene.add("timed", "last")
        scene.kill(hold(scene, "timed", "last"))
        move_back(scene, "claimed_at", 3, jobs)
        move_back(scene, "attempted_at", 3, jobs)
        same(scene.stuck(), jobs[:1], "only the job with a timeout of two minutes")
        move_back(scene, "attempted_at", 10, jobs[1:])
        and_undone(scene, usual, "reconcile")
        same(scene.sql("SELECT state FROM sidequest_jobs ORDER BY id").split(), ["waiting", "failed"], "states")
        error = json.loads(scene.sql(f"SELECT errors FROM sidequest_jobs WHERE id = {jobs[1]}"))
        same((error[0]["message"].startswith("ended as stuck"), error[0]["attempt"]), (True, 1), "the error")
        # A claim that was left before the job ran: an attempt was not counted, so none is lost.
        claimed = scene.add("claimed")
        now = "unixepoch() * 1000 - 120000" if engine == "sqlite" else "now() - interval '2 min'"
        scene.sql(f"UPDATE sidequest_jobs SET state = 'claimed', claimed_by = 'sidequest@gone-1', claimed_at = {now} "
                  f"WHERE id = {claimed[0]}")
        same(scene.stuck(), claimed, "a claim of two minutes")
        and_undone(scene, usual, "reconcile")
        finish(scene, "finish", "timed", "claimed")


def run(engine: str) -> None:
    with scene_of(system(engine)) as scene:
        whole_life(scene, system(engine))
    limits(engine)


if __name__ == "__main__":
    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(run, ["sqlite", "postgres"]))
