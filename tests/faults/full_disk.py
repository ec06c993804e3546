#!/usr/bin/env python3
"""A disk that is full, or becomes full in the middle of a backup or a repair. Disks are small tmpfs mounts."""
import os
import pathlib
import shutil
import sqlite3
import subprocess
import threading

from harness import NOW, Folder, Postgres, main, repair, require, same, sqlite_rows


class SmallDisk:
    def __init__(self, folder: Folder, kilobytes: int) -> None:
        self.path = folder.path / "disk"
        self.path.mkdir()
        self._mount("mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "taskctl-test", str(self.path))

    def __enter__(self) -> "SmallDisk":
        return self

    def __exit__(self, *_) -> None:
        self._mount("umount", str(self.path))

    @staticmethod
    def _mount(*command: str) -> None:
        result = subprocess.run(command if os.geteuid() == 0 else ("sudo", "-n", *command), capture_output=True,
                                text=True, check=False)
        require(result.returncode == 0, f"this test mounts a tmpfs and needs the right to: {result.stderr}")

    def resize(self, kilobytes: int) -> None:
        self._mount("mount", "-o", f"remount,size={kilobytes}k", str(self.path))

    def fill(self) -> None:
        with open(self.path / "fill", "wb", buffering=0) as file:
            for size in (1 << 16, 1 << 12, 1):
                try:
                    while True:
                        file.write(b"x" * size)
                except OSError:
                    pass

    def names(self) -> list[str]:
        return sorted(p.name for p in self.path.iterdir() if p.name != "fill")


def lock_file_on_a_full_disk() -> None:
    with Folder() as folder:
        db = folder.sqlite_tasks(5)
        with SmallDisk(folder, 256) as disk:
            moved = shutil.copy(db, disk.path)
            disk.fill()
            result = folder.taskctl(*repair(moved, "--no-backup"))
            same(result.returncode, 1, f"exit ({result.stderr})")
            require("tasks.db.taskctl-lock': no space left on device" in result.stderr, f"what: {result.stderr}")
            require("HINT: Make room in " in result.stderr, f"hint: {result.stderr}")
            same(disk.names(), ["tasks.db"], "files left")
            same(sqlite_rows(moved, "SELECT count(*) FROM task_queue WHERE status = 'running'"), [(6,)], "running rows")


def disk_mounted_for_reading() -> None:
    with Folder() as folder:
        db = folder.sqlite_tasks(5)
        with SmallDisk(folder, 256) as disk:
            moved = shutil.copy(db, disk.path)
            SmallDisk._mount("mount", "-o", "remount,ro", str(disk.path))
            result = folder.taskctl(*repair(moved, "--no-backup"))
            same(result.returncode, 5, f"exit ({result.stderr})")
            listed = folder.taskctl("list-stuck", "--db", moved, "--now", NOW)
            same(listed.returncode, 0, f"listing ({listed.stderr})")


def disk_becomes_full_during_the_backup() -> None:
    with Folder() as folder:
        db = folder.sqlite_tasks(5)
        connection = sqlite3.connect(db)
        connection.execute("UPDATE task_queue SET data = hex(zeroblob(20000000)) WHERE task_id IN ('t0', 't1')")
        connection.commit()
        connection.close()
        with SmallDisk(folder, 100_000) as disk:
            done = threading.Event()

            def other_program() -> None:
                while not done.is_set() and not any(p.stat().st_size > 4_000_000 for p in disk.path.glob(".taskctl-*")):
                    pass
                disk.resize(20_000)  # somebody else's gigabytes, as far as the copy can tell

            thread = threading.Thread(target=other_program)
            thread.start()
            result = folder.taskctl(*repair(db, "--backup-dir", str(disk.path)))
            done.set()
            thread.join()
            same(result.returncode, 7, f"exit ({result.stderr})")
            require("no space left" in result.stderr and "--backup-dir" in result.stderr, f"message: {result.stderr}")
            same(disk.names(), [], "half a backup")
        same(sqlite_rows(db, "SELECT count(*) FROM task_queue WHERE status = 'running'"), [(6,)], "running rows")


def disk_becomes_full_during_the_repair() -> None:
    total = 3000
    for mode in ("delete", "wal"):
        with Folder() as folder:
            db = folder.sqlite_tasks(total, mode)
            with SmallDisk(folder, 50_000) as disk:
                moved = str(disk.path / "tasks.db")
                shutil.copy(db, moved)
                disk.resize(pathlib.Path(moved).stat().st_size // 1024 + 1200)
                result = folder.taskctl(*repair(moved, "--no-backup", "--quiet", "--batch-size", "50"), timeout=120)
                same(result.returncode, 3, f"{mode}: exit ({result.stderr})")
                require("no space left on the disk" in result.stdout, f"{mode}: {result.stdout[-300:]}")
                require("Make room there" in result.stderr, f"{mode}: hint ({result.stderr})")
                disk.resize(50_000)
                same(sqlite_rows(moved, "PRAGMA integrity_check"), [("ok",)], f"{mode}: integrity")
                failed = sqlite_rows(moved, "SELECT count(*) FROM task_queue WHERE status = 'failed'")[0][0]
                require(0 < failed < total, f"{mode}: {failed} tasks were repaired: the disk should end it half-way")
                require(f"applied {failed}," in result.stdout, f"{mode}: the summary tells the truth")
                same(sqlite_rows(moved, "SELECT count(*) FROM taskctl_changes"), [(failed,)], f"{mode}: journal")
                again = folder.taskctl(*repair(moved, "--no-backup", "--quiet"), timeout=120)
                same(again.returncode, 0, f"{mode}: the next run goes on ({again.stderr})")


def full_disk_for_postgres_backups() -> None:
    with Folder() as folder, Postgres() as server:
        server.tasks(2000)
        with SmallDisk(folder, 16) as disk:
            disk.fill()
            for kind in ("tables", "rows"):
                result = folder.taskctl(*repair(server.db, "--backup", kind, "--backup-dir", str(disk.path)))
                same(result.returncode, 7, f"{kind}: exit ({result.stderr})")
                require("ake room" in result.stderr, f"{kind}: hint ({result.stderr})")
                same(disk.names(), [], f"{kind}: half a backup")
        same(server.sql("SELECT count(*) FROM task_queue WHERE status = 'failed'"), "0", "repaired without a backup")


if __name__ == "__main__":
    main([lock_file_on_a_full_disk, disk_mounted_for_reading, disk_becomes_full_during_the_backup,
          disk_becomes_full_during_the_repair, full_disk_for_postgres_backups])
