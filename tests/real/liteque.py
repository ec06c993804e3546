#!/usr/bin/env python3
"""liteque 0.8.0 on SQLite."""
import os
import signal

from lifecycle import System, and_undone, hold, scene_of, whole_life
from scene import same


def age(scene, jobs) -> None:
    scene.sql(f"UPDATE tasks SET createdAt = createdAt - 700, expireAt = expireAt - 700 WHERE id IN ({','.join(jobs)})")


SYSTEM = System(profile="liteque", engine="sqlite", program="liteque.mjs", tables=["tasks"], age=age,
                newer="ALTER TABLE tasks ADD COLUMN parent integer")


def last_run() -> None:
    """A task without runs left ends as failed: a runner that takes it would do the same."""
    with scene_of(SYSTEM) as scene:
        jobs = scene.add("last")
        scene.kill(hold(scene, "last"))
        age(scene, jobs)
        and_undone(scene, SYSTEM, "reconcile")
        same(scene.sql("SELECT status, expireAt IS NULL FROM tasks"), "failed|1", "the task without runs left")


def late_worker() -> None:
    """A worker that was thought dead and goes on cannot end a task that was taken from it: the token is another one."""
    with scene_of(SYSTEM) as scene:
        jobs = scene.add("a")
        token = "SELECT allocationId FROM tasks"
        worker = hold(scene, "a")
        os.kill(worker.pid, signal.SIGSTOP)  # or it takes the expired task again itself
        before = scene.sql(token)
        age(scene, jobs)
        scene.taskctl("reconcile", "--yes")
        same(scene.sql(token), f"taskctl-{before}", "allocationId")
        scene.kill(worker)


def two_queues_in_one_file() -> None:
    """Nobody guesses which of two queues is meant."""
    with scene_of(SYSTEM) as scene:
        scene.add("a")
        same("(chosen because" in scene.taskctl("list-stuck", profile="").err, True, "the only profile that fits is chosen")
        scene.program = scene.program.with_name("plainjob.mjs")
        scene.add("b")
        refused = scene.taskctl("list-stuck", profile="", code=11)
        same("several built-in profiles fit this database: 'liteque', 'plainjob'" in refused.err, True, refused.text())
        same(scene.stuck(), [], "with its name")


if __name__ == "__main__":
    with scene_of(SYSTEM) as whole:
        whole_life(whole, SYSTEM)
    last_run()
    late_worker()
    two_queues_in_one_file()
