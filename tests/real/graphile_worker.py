#!/usr/bin/env python3
"""graphile-worker 0.18.0 on PostgreSQL."""
from lifecycle import System, and_undone, finish, hold, scene_of, whole_life
from scene import check, same


def age(scene, jobs) -> None:
    schema = scene.env.get("REAL_SCHEMA", "graphile_worker")
    scene.sql(f"UPDATE {schema}._private_jobs SET locked_at = locked_at - interval '241 min' WHERE id IN ({','.join(jobs)})")
    scene.sql(f"UPDATE {schema}._private_job_queues SET locked_at = locked_at - interval '241 min'")


def system(schema: str) -> System:
    return System(profile="graphile-worker", engine="postgres", program="graphile-worker.mjs", age=age,
                  tables=[f"{schema}._private_jobs", f"{schema}._private_job_queues"],
                  worker=f"SELECT locked_by FROM {schema}._private_jobs WHERE id = %s", variables={"REAL_SCHEMA": schema},
                  newer=f"INSERT INTO {schema}.migrations (id) VALUES (999)")


def named_queue() -> None:
    """Whoever frees the job of a named queue frees the queue too, or its other jobs wait for ever."""
    usual = system("graphile_worker")
    with scene_of(usual) as scene:
        jobs = scene.add("queued1", "queued2")
        scene.kill(hold(scene, "queued1"))
        age(scene, jobs[:1])
        same(scene.stuck(), jobs[:1], "stuck in a named queue")
        and_undone(scene, usual, "reconcile")
        same(scene.sql("SELECT count(*) FROM graphile_worker._private_job_queues WHERE locked_at IS NOT NULL"), "0",
             "locked queues")
        finish(scene, "finish", "queued1", "queued2")


def last_attempt() -> None:
    """A job without attempts left is over for graphile-worker; taskctl says so instead of requeueing what nobody takes."""
    usual = system("graphile_worker")
    with scene_of(usual) as scene:
        jobs = scene.add("last")
        scene.kill(hold(scene, "last"))
        age(scene, jobs)
        and_undone(scene, usual, "reconcile")
        same(scene.sql("SELECT attempts = max_attempts AND locked_at IS NULL AND last_error LIKE 'ended as stuck%' "
                       "FROM graphile_worker._private_jobs"), "t", "the job that has failed for good")


def other_schema() -> None:
    moved = system("jobs_app")
    with scene_of(moved) as scene:
        jobs = scene.add("a")
        scene.kill(hold(scene, "a"))
        age(scene, jobs)
        missing = scene.taskctl("list-stuck", code=11)
        check("_private_jobs" in missing.err, missing.text())
        scene.profile += ":schema=jobs_app"
        same(scene.stuck(), jobs, "stuck in another schema")
        and_undone(scene, moved, "reconcile")
        finish(scene, "finish", "a")


def row_security() -> None:
    """Its tables show nothing to a role that does not own them: that is not the same as nothing being stuck."""
    usual = system("graphile_worker")
    with scene_of(usual) as scene:
        scene.add("a")
        role = scene.base + "_reader"
        scene.sql(f"CREATE ROLE {role}; GRANT USAGE ON SCHEMA graphile_worker TO {role}; "
                  f"GRANT SELECT ON ALL TABLES IN SCHEMA graphile_worker TO {role}")
        scene.env["PGOPTIONS"] = f"-c role={role}"
        refused = scene.taskctl("list-stuck", code=10)
        check("row-level security" in refused.err, refused.text())
        del scene.env["PGOPTIONS"]
        scene.sql(f"DROP OWNED BY {role}; DROP ROLE {role}")


def main() -> None:
    usual = system("graphile_worker")
    with scene_of(usual) as scene:
        whole_life(scene, usual)
    named_queue()
    last_attempt()
    other_schema()
    row_security()


if __name__ == "__main__":
    main()
