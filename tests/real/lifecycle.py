"""What every queue system goes through: its worker is killed in the middle of jobs, and taskctl puts them right."""
import dataclasses
import os
from collections.abc import Callable

from scene import Scene, check, same


@dataclasses.dataclass
class System:
    profile: str
    engine: str
    program: str
    tables: list[str]                      # whose rows a repair may change
    age: Callable[[Scene, list[str]], None]  # makes these jobs look as old as a worker's death would have made them
    key: Callable[[str], str] = lambda job: job  # from what the system calls a job to the id that taskctl prints
    requeue: list[str] = dataclasses.field(default_factory=list)  # options of the reconcile that requeues
    worker: str = ""                       # SQL for the name of the worker that holds a job, %s is its id
    variables: dict[str, str] = dataclasses.field(default_factory=dict)
    newer: str = ""                        # SQL that makes the database one of a version that nobody knows yet
    held_at_once: int = 2                  # jobs that one worker of the test takes


def scene_of(system: System) -> Scene:
    scene = Scene(system.engine, system.program, system.profile)
    folder = os.environ.get("REAL_PROFILES")  # a folder of profiles, to try them before they are built in
    scene.profile = f"{folder}/{system.profile}.toml" if folder else system.profile
    scene.env.update(system.variables)
    return scene


def unchanged_by(scene: Scene, system: System, *arguments: str, code: int) -> None:
    before = scene.rows(*system.tables)
    scene.taskctl(*arguments, code=code)
    same(scene.rows(*system.tables), before, f"rows after {' '.join(arguments)}")


def and_undone(scene: Scene, system: System, *arguments: str) -> None:
    """The command, its undo, which leaves every byte as it was, and the command again."""
    before = scene.rows(*system.tables)
    scene.taskctl(*arguments, "--yes")
    check(scene.rows(*system.tables) != before, f"{' '.join(arguments)} changed nothing")
    scene.taskctl("undo", "--last", "--yes")
    same(scene.rows(*system.tables), before, f"rows after the undo of {' '.join(arguments)}")
    scene.taskctl(*arguments, "--yes")


def hold(scene: Scene, *tags: str):
    worker = scene.start("hold")
    scene.wait_for(*(f"start {tag}" for tag in tags))
    return worker


def finish(scene: Scene, verb: str, *tags: str) -> None:
    worker = scene.start(verb)
    scene.wait_for(*(f"done {tag}" for tag in tags))
    scene.kill(worker)


def keys(system: System, jobs: list[str]) -> list[str]:
    return sorted(system.key(job) for job in jobs)


def killed_and_requeued(scene: Scene, system: System) -> None:
    tags = ["a", "b", "c"][:system.held_at_once + 1]
    jobs = scene.add(*tags)
    held = jobs[:system.held_at_once]
    worker = hold(scene, *tags[:system.held_at_once])
    same(scene.stuck(*system.requeue), [], "stuck while the worker lives")
    unchanged_by(scene, system, "reconcile", "--yes", code=0)
    unchanged_by(scene, system, "cancel", system.key(held[0]), "--yes", code=5)
    scene.kill(worker)
    system.age(scene, held)
    same(scene.stuck(*system.requeue), keys(system, held), "stuck after the worker was killed")
    and_undone(scene, system, "reconcile", *system.requeue)
    same(scene.stuck(*system.requeue), [], "stuck after the repair")
    finish(scene, "finish", *tags)


def cancelled_for_good(scene: Scene, system: System) -> None:
    job = scene.add("gone")[0]
    scene.kill(hold(scene, "gone"))
    and_undone(scene, system, "cancel", system.key(job), "--force", "--accept-hazard", "young",
               "--accept-hazard", "alive")
    scene.add("marker")
    finish(scene, "finish", "marker")
    same(scene.lines().count("start gone"), 1, "runs of the cancelled job")


def released_with_its_worker(scene: Scene, system: System) -> None:
    job = scene.add("released")[0]
    scene.kill(hold(scene, "released"))
    system.age(scene, [job])
    name = scene.sql(system.worker % f"'{job}'")
    and_undone(scene, system, "release-worker", name, "--force", "--outcome", "requeued")
    finish(scene, "finish", "released")


def rescued_by_itself(scene: Scene, system: System) -> None:
    job = scene.add("own")[0]
    scene.kill(hold(scene, "own"))
    system.age(scene, [job])
    same(scene.stuck(*system.requeue), [system.key(job)], "stuck before the system's own recovery")
    finish(scene, "rescue", "own")
    same(scene.stuck(*system.requeue), [], "stuck after the system's own recovery")


def unknown_version(scene: Scene, system: System) -> None:
    """What a newer version means by its columns nobody has looked at: it is listed, with a warning, and never written."""
    job = scene.add("unknown")[0]
    scene.kill(hold(scene, "unknown"))
    system.age(scene, [job])
    scene.sql(system.newer)
    same(scene.stuck(*system.requeue), [system.key(job)], "stuck in an unknown version")
    check("warning: " in scene.taskctl("list-stuck").err, "a warning")
    unchanged_by(scene, system, "reconcile", *system.requeue, "--yes", code=11)
    unchanged_by(scene, system, "cancel", system.key(job), "--force", "--accept-hazard", "young", "--accept-hazard", "alive",
                 "--yes", code=11)


def whole_life(scene: Scene, system: System) -> None:
    killed_and_requeued(scene, system)
    cancelled_for_good(scene, system)
    if system.worker:
        released_with_its_worker(scene, system)
    rescued_by_itself(scene, system)
    if system.newer:
        unknown_version(scene, system)
