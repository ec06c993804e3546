#!/usr/bin/env python3
"""Minion (Perl) 10.25 on SQLite and PostgreSQL: a queue without a built-in profile. `profile init` writes one, and with
that one what every queue goes through is gone through. What docs/unknown-queue.md tells, on the real thing."""
import concurrent.futures
import pathlib

from lifecycle import System, cancelled_for_good, finish, killed_and_requeued, released_with_its_worker
from scene import Scene, check, same


def age(scene: Scene, jobs: list[str]) -> None:
    """As it looks an hour after the worker died."""
    def earlier(column: str) -> str:
        return f"datetime({column}, '-1 hour')" if scene.engine == "sqlite" else f"{column} - interval '1 hour'"
    scene.sql(f"UPDATE minion_jobs SET started = {earlier('started')} WHERE id IN ({','.join(jobs)})")
    scene.sql(f"UPDATE minion_workers SET notified = {earlier('notified')} "
              f"WHERE id IN (SELECT worker FROM minion_jobs WHERE id IN ({','.join(jobs)}))")


def refusals(scene: Scene) -> None:
    """A status that nobody explained: everything is listed, nothing is written."""
    file = str(scene.folder / "careless.toml")
    scene.taskctl("profile", "init", "--safety", "full", "--failed", "failed", "--to", file, profile="")
    checked = scene.taskctl("profile", "check", profile=file)
    check("inactive  not mapped" in checked.out, f"'inactive' has no class:\n{checked.text()}")
    before = scene.rows("minion_jobs")
    refused = scene.taskctl("reconcile", "--yes", profile=file, code=11)
    check("does not map 'inactive'" in refused.err, f"the reason is said:\n{refused.text()}")
    same(scene.rows("minion_jobs"), before, "rows after a refusal")
    again = scene.taskctl("profile", "init", "--to", file, profile="", code=5)
    check("exists already" in again.err, f"a file is not overwritten:\n{again.text()}")


def made_profile(scene: Scene) -> str:
    file = str(scene.folder / "minion.toml")
    scene.taskctl("profile", "init", "--queued", "inactive", "--failed", "failed", "--attempts", "none", "--heartbeat-timeout", "31m",
                  "--safety", "full", "--dead", "requeued", "--to", file, profile="")
    text = pathlib.Path(file).read_text(encoding="utf-8")
    for line in ('table     = "minion_workers"', 'heartbeat = "notified"', 'key       = "id"'):
        check(line in text, f"the profile has {line}:\n{text}")
    return file


def run(engine: str) -> None:
    system = System(profile="minion", engine=engine, program="minion.pl", tables=["minion_jobs"], age=age,
                    worker="SELECT worker FROM minion_jobs WHERE id = %s")
    with Scene(engine, system.program, system.profile) as scene:
        # Rows to guess from: one that ended, one that a worker died of, one that waits.
        scene.add("first")
        finish(scene, "finish", "first")
        jobs = scene.add("lost", "lost too", "waiting")
        worker = scene.start("hold")
        scene.wait_for("start lost", "start lost too")
        scene.kill(worker)
        age(scene, jobs[:2])
        refusals(scene)
        scene.profile = made_profile(scene)
        same(scene.stuck(), sorted(jobs[:2]), "what the made profile calls stuck")
        scene.taskctl("reconcile", "--yes")
        finish(scene, "finish", "lost", "lost too", "waiting")
        killed_and_requeued(scene, system)
        cancelled_for_good(scene, system)
        released_with_its_worker(scene, system)


if __name__ == "__main__":
    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(run, ["sqlite", "postgres"]))
