#!/usr/bin/env python3
"""What taskctl notes on this machine of tasks without a time: unwritable, damaged, half written, two at once."""
import os
import pathlib
import signal
import sqlite3
import subprocess
import time

from full_disk import SmallDisk
from harness import TASKCTL, Folder, Postgres, main, parse_json, require, same

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "fixtures"
AGED = ["--max-age", "0s", "--accept-hazard", "young"]


class Timeless(Folder):
    """A queue without any time column, under its profile."""

    def __enter__(self) -> "Timeless":
        (self.path / "timeless.toml").write_text((FIXTURES / "timeless.toml").read_text(encoding="utf-8"), encoding="utf-8")
        self.db = str(self.path / "tasks.db")
        subprocess.run(["sqlite3", self.db], input=(FIXTURES / "timeless.sqlite.sql").read_bytes(), check=True)
        return self

    def words(self, *arguments: str) -> list[str]:
        return [*arguments, "--db", self.db, "--profile", "./timeless.toml"]

    def run(self, *arguments: str) -> subprocess.CompletedProcess:
        return self.taskctl(*self.words(*arguments))

    @property
    def file(self) -> pathlib.Path:
        found = list((self.path / "state/taskctl/first-seen").glob("timeless-*.db"))
        same(len(found), 1, "files with sightings")
        return found[0]

    def observed(self) -> dict:
        return parse_json(self.run("observe", "--output", "json"))

    def ages(self) -> list:
        listing = parse_json(self.run("list-stuck", "--include-fine", "--output", "json"))
        return [finding["task"]["age_seconds"] for finding in listing["findings"]]

    def states(self) -> str:
        return subprocess.run(["sqlite3", self.db, "SELECT group_concat(state) FROM work"], capture_output=True, text=True,
                              check=True).stdout.strip()


def reading_commands_create_nothing() -> None:
    with Timeless() as folder:
        for command in (["list-stuck"], ["show", "2"], ["stats"], ["list-workers"], ["profile", "check"], ["reconcile", "--dry-run"],
                        ["reconcile", "--save-plan", "saved.plan"], ["cancel", "2", "--force", "--outcome", "failed", "--dry-run"]):
            same(folder.run(*command).returncode, 0, " ".join(command))
            require(not (folder.path / "state").exists(), f"{command} made something in the state folder")
        same(folder.ages(), [None, None, None], "ages that nobody knows")
        # With another time than now nothing is noted.
        same(folder.run("reconcile", "--yes", "--now", "2025-01-01T00:00:00Z").returncode, 0, "reconcile --now")
        require(not (folder.path / "state/taskctl/first-seen").exists(), "reconcile --now noted something")
        same(folder.run("observe", "--now", "2025-01-01T00:00:00Z").returncode, 2, "observe takes no --now")


def a_repair_notes_what_it_sees() -> None:
    with Timeless() as folder:
        same(folder.run("reconcile", "--yes").returncode, 0, "reconcile")
        same(folder.observed()["unchanged"], 3, "what reconcile noted")
        result = folder.run("reconcile", "--yes", "--no-backup", *AGED, "--id", "2")
        same((result.returncode, folder.states()), (0, "done,failed,running,running,waiting"), result.stderr)
        # With a selector nobody is forgotten; without one the repaired task is.
        same(folder.observed()["forgotten"], 1, "forgotten")


def unwritable_state_folder() -> None:
    with Timeless() as folder:
        (folder.path / "state").write_text("a file in the place of the folder", encoding="utf-8")
        result = folder.run("observe")
        same(result.returncode, 1, f"observe ({result.stderr})")
        require("cannot create the folder" in result.stderr, result.stderr)
        same(folder.ages(), [None, None, None], "ages")
        result = folder.run("reconcile", "--yes", "--no-backup", *AGED)
        same((result.returncode, folder.states()), (0, "done,running,running,running,waiting"), result.stderr)
        require("which tasks are active now was not noted" in result.stderr, result.stderr)


def full_disk() -> None:
    with Timeless() as folder, SmallDisk(folder, 256) as disk:
        folder.env["XDG_STATE_HOME"] = str(disk.path)
        same(folder.observed()["new"], 3, "new")
        connection = sqlite3.connect(folder.db)
        connection.execute("WITH RECURSIVE n (i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)"
                           " INSERT INTO work SELECT i, 'running', 'mail', 'web-1', NULL FROM n")
        connection.commit()
        connection.close()
        result = folder.run("observe")
        same(result.returncode, 1, f"observe ({result.stderr})")
        require("no space left" in result.stderr, result.stderr)
        show = folder.run("show", "2")
        require("not stuck: first seen " in show.stdout, f"what was noted before stays: {show.stdout}")
        disk.resize(4096)
        after = folder.observed()
        same((after["new"], after["unchanged"]), (4991, 3), "with room again")


def folder_of_another_user() -> None:
    """Root may write anywhere: another user, who may read the database only."""
    with Timeless() as folder:
        same(folder.observed()["new"], 3, "new")
        os.chmod(folder.path, 0o755)
        os.chmod(folder.db, 0o644)
        result = subprocess.run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", TASKCTL,
                                 *folder.words("list-stuck")], env=folder.env, cwd=folder.path, capture_output=True, text=True,
                                timeout=60, check=False)
        same(result.returncode, 0, f"list-stuck ({result.stderr})")
        require("when tasks were first seen is not known" in result.stderr, result.stderr)
        require("3 with an unreadable time" in result.stdout, result.stdout)


def damaged_files_give_no_age() -> None:
    with Timeless() as folder:
        same(folder.observed()["new"], 3, "new")
        whole = folder.file.read_bytes()
        known = folder.ages()
        require(None not in known, f"ages: {known}")
        step = 61
        for position in range(0, len(whole), step):
            broken = bytearray(whole)
            broken[position] ^= 0xFF
            folder.file.write_bytes(bytes(broken))
            result = folder.run("list-stuck", "--include-fine", "--output", "json")
            same(result.returncode, 0, f"byte {position}: {result.stderr}")
            for finding in parse_json(result)["findings"]:
                age = finding["task"]["age_seconds"]
                require(age is None or 0 <= age < 600, f"byte {position}: an age of {age} s")
        for content in (b"", b"x", b"not a database\n" * 500, whole[:5000], whole[:100]):
            folder.file.write_bytes(content)
            require(set(folder.ages()) == {None}, f"{len(content)} bytes: {folder.ages()}")
            plan = folder.run("reconcile", "--dry-run", *AGED)
            require(plan.returncode == 0 and "plan: 0 tasks" in plan.stdout, plan.stdout + plan.stderr)
        folder.file.write_bytes(b"not a database\n" * 500)
        result = folder.run("observe")
        require(result.returncode == 11 and "Remove it" in result.stderr, f"{result.returncode}: {result.stderr}")
        folder.file.unlink()
        same(folder.observed()["new"], 3, "after it was removed")


def two_observers_at_once() -> None:
    with Timeless() as folder:
        folder.observed()
        observers = [folder.start(*folder.words("observe", "--quiet")) for _ in range(6)]
        readers = [folder.start(*folder.words("list-stuck", "--quiet")) for _ in range(4)]
        for process in observers + readers:
            out, err = process.communicate(timeout=60)
            require(process.returncode == 0, f"{process.returncode}: {out}{err}")
        same(folder.observed()["unchanged"], 3, "afterwards")
        holder = sqlite3.connect(folder.file, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        begun = time.monotonic()
        result = folder.run("observe", "--lock-timeout", "300ms")
        same(result.returncode, 6, f"while another one goes on ({result.stderr})")
        require(time.monotonic() - begun < 20, "the wait has a bound")
        require(None not in folder.ages(), "readers are not kept waiting")
        result = folder.run("reconcile", "--yes", "--no-backup", "--lock-timeout", "300ms", *AGED, "--id", "2")
        same(result.returncode, 0, f"a repair goes on ({result.stderr})")
        require("was not noted" in result.stderr, result.stderr)
        holder.execute("ROLLBACK")
        holder.close()


def killed_observer() -> None:
    with Timeless() as folder:
        connection = sqlite3.connect(folder.db)
        connection.execute("WITH RECURSIVE n (i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)"
                           " INSERT INTO work SELECT i, 'running', 'mail', 'web-1', NULL FROM n")
        connection.commit()
        same(folder.observed()["new"], 59994, "new")
        connection.execute("UPDATE work SET note = 'x'")
        connection.commit()
        connection.close()
        for delay in (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6):
            process = folder.start(*folder.words("observe", "--quiet"))
            time.sleep(delay)
            process.send_signal(signal.SIGKILL)
            process.communicate()
            result = folder.run("list-stuck", "--limit", "1", "--output", "json")
            same(result.returncode, 0, f"after {delay} s: {result.stderr}")
        after = folder.observed()
        same(after["active"], 59994, "active")
        require(after["changed"] + after["unchanged"] == 59994, f"{after}")
        same(folder.observed()["unchanged"], 59994, "then")


def a_run_uses_what_it_planned_with() -> None:
    """The file goes between the plan and its use."""
    with Timeless() as folder:
        folder.observed()
        same(folder.run("reconcile", "--save-plan", "saved.plan", *AGED).returncode, 0, "plan")
        folder.file.unlink()
        result = folder.run("reconcile", "--plan", "saved.plan", "--yes", "--no-backup")
        same((result.returncode, folder.states()), (0, "done,failed,failed,failed,waiting"), result.stderr)


def postgres_sees_every_write() -> None:
    """A row that was written has another version; at another address stands another server, which may be a copy."""
    with Timeless() as folder, Postgres() as first:
        sql = (FIXTURES / "timeless.postgres.sql").read_text(encoding="utf-8")
        first.sql(sql)
        folder.db = first.db
        same(folder.observed()["new"], 3, "new")
        folder.db = f"{first.db} host=127.0.0.1"
        same(folder.observed()["new"], 3, "by another address")
        same(folder.observed()["unchanged"], 3, "by the same address again")
        first.sql("BEGIN; UPDATE work SET state = 'waiting' WHERE id = 2; UPDATE work SET state = 'running' WHERE id = 2; COMMIT")
        seen = folder.observed()
        same((seen["changed"], seen["unchanged"]), (1, 2), "put back and taken again")


if __name__ == "__main__":
    main([reading_commands_create_nothing, a_repair_notes_what_it_sees, unwritable_state_folder, full_disk, folder_of_another_user,
          damaged_files_give_no_age, two_observers_at_once, killed_observer, a_run_uses_what_it_planned_with,
          postgres_sees_every_write])
