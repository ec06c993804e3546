#!/usr/bin/env python3
"""Delayed Job 4.1.9 on SQLite and PostgreSQL."""
import concurrent.futures

from lifecycle import System, scene_of, whole_life


def age(scene, jobs) -> None:
    back = "strftime('%Y-%m-%d %H:%M:%S.000000', locked_at, '-241 minutes')" if scene.engine == "sqlite" \
        else "locked_at - interval '241 min'"
    scene.sql(f"UPDATE delayed_jobs SET locked_at = {back} WHERE id IN ({','.join(jobs)})")


def run(engine: str) -> None:
    system = System(profile="delayed-job", engine=engine, program="delayed-job.rb", tables=["delayed_jobs"], age=age,
                    worker="SELECT locked_by FROM delayed_jobs WHERE id = %s", held_at_once=1)
    with scene_of(system) as scene:
        whole_life(scene, system)


if __name__ == "__main__":
    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(run, ["sqlite", "postgres"]))
