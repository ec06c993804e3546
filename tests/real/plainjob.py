#!/usr/bin/env python3
"""plainjob 0.0.14 on SQLite."""
from lifecycle import System, and_undone, hold, scene_of, unchanged_by, whole_life
from scene import check, same


def age(scene, jobs) -> None:
    scene.sql(f"UPDATE plainjob_jobs SET next_run_at = next_run_at - 31 * 60000 WHERE id IN ({','.join(jobs)})")


SYSTEM = System(profile="plainjob", engine="sqlite", program="plainjob.mjs", tables=["plainjob_jobs"], age=age,
                requeue=["--max-age", "30m"], newer="ALTER TABLE plainjob_jobs ADD COLUMN attempts integer")


def only_when_asked() -> None:
    """Nothing says when a job began: it is repaired only with --max-age, never by a plain reconcile."""
    with scene_of(SYSTEM) as scene:
        jobs = scene.add("late")
        age(scene, jobs)
        worker = hold(scene, "late")  # alive, due for half an hour, begun just now
        same(scene.stuck(), jobs, "listed")
        check("possible" in scene.taskctl("list-stuck").out, "no more than possible")
        unchanged_by(scene, SYSTEM, "reconcile", "--yes", code=0)
        scene.kill(worker)
        and_undone(scene, SYSTEM, "reconcile", "--max-age", "30m", "--outcome", "failed")
        same(scene.sql("SELECT status, failed_at IS NOT NULL, error LIKE 'ended as stuck%' FROM plainjob_jobs"), "3|1|1",
             "the failed job")


if __name__ == "__main__":
    with scene_of(SYSTEM) as whole:
        whole_life(whole, SYSTEM)
    only_when_asked()
