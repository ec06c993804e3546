"""T17, T19, T21, T23: damaged backups, restores, busy and corrupt database files."""
import collections
import hashlib
import os
import pathlib
import shutil
import sqlite3
import threading

from campaign import NOW, Campaign, Options, Scenario, UNGUARDED, repair, require, subject_of
from oracle import differences


def t17(options: Options):
    """Whatever happens to a backup's file or manifest, verify finds it."""
    for mode in ("wal", "postgres"):
        with subject_of(mode) as subject:
            rng = options.rng("T17 " + mode)
            subject.tasks(50)
            copies, pristine = subject.folder.path / "copies", subject.folder.path / "pristine"
            for name in ("one", "two"):
                made = subject.run("backup", "--db", subject.db, "--backup-dir", str(copies), "--output", "json")
                require(made.code == 0, f"backup {name}: {made.stderr}")
                if name == "one":
                    subject.run(*repair(subject.db), "--limit", "3", *UNGUARDED)
            shutil.copytree(copies, pristine)
            manifests = sorted(copies.glob("*.manifest.json"))
            backup = pathlib.Path(str(manifests[0]).removesuffix(".manifest.json"))
            campaign = Campaign(f"T17 damaged backups {subject.engine}", options, 10)
            good = subject.run("backup", "verify", str(backup))
            campaign.check(subject, "an undamaged one", good.code == 0, f"T17 an undamaged backup is refused: {good.stderr}")
            for kind in ["deleted", "deleted manifest", "swapped", "swapped manifests"] + ["flip", "cut", "flip in manifest"] * options.scale(4, 350):
                shutil.rmtree(copies)
                shutil.copytree(pristine, copies)
                what = damage(kind, backup, manifests, rng)
                outcome = subject.run("backup", "verify", str(backup))
                listed = subject.run("backup", "list", "--db", subject.db, "--backup-dir", str(copies))
                wrong = [] if outcome.code not in (0, 70) and outcome.code > 0 else [f"T17 verify ends with {outcome.code}: {outcome.stdout} {outcome.stderr}"]
                if kind.startswith("deleted") and listed.code == 0:
                    wrong.append(f"T17 the list does not miss it: {listed.stdout}")
                campaign.point(subject, what, wrong)
            yield campaign


def damage(kind: str, backup: pathlib.Path, manifests: list, rng) -> str:
    manifest = manifests[0]
    if kind == "deleted":
        backup.unlink()
    elif kind == "deleted manifest":
        manifest.unlink()
    elif kind == "swapped":
        shutil.copy(str(manifests[1]).removesuffix(".manifest.json"), backup)
    elif kind == "swapped manifests":
        shutil.copy(manifests[1], manifest)
    elif kind == "cut":
        size = rng.randrange(backup.stat().st_size)
        os.truncate(backup, size)
        return f"cut to {size} bytes"
    else:
        file = manifest if "manifest" in kind else backup
        data = bytearray(file.read_bytes())
        if file == manifest:  # a digit of the hash: other letters may well be free text
            place = data.index(b'"sha256"') + 12 + rng.randrange(60)
            data[place] = ord("0") if data[place] != ord("0") else ord("1")
        else:
            place = rng.randrange(len(data))
            data[place] ^= 1 << rng.randrange(8)
        file.write_bytes(data)
        return f"{kind}, byte {place}"
    return kind


def t19(options: Options):
    """Restores: never over something, never beside a journal of another database, and what arrives is what was."""
    for mode in ("wal", "delete"):
        with subject_of(mode) as subject:
            subject.tasks(30)
            before = subject.snapshot()
            made = subject.run("backup", "--db", subject.db, "--output", "json")
            require(made.code == 0, f"backup: {made.stderr}")
            copy = next(p for p in subject.folder.path.glob("*_backup_*.db"))
            campaign = Campaign(f"T19 restores sqlite/{mode}", options, 5)
            target = subject.folder.path / "new" / "tasks.db"
            target.parent.mkdir()
            for name in ("nothing", "database", "empty", "wal", "journal", "shm", "folder"):
                for path in target.parent.iterdir():
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
                beside = {"database": "tasks.db", "empty": "tasks.db", "wal": "tasks.db-wal", "journal": "tasks.db-journal", "shm": "tasks.db-shm"}
                if name == "folder":
                    target.mkdir()
                elif name in beside:
                    (target.parent / beside[name]).write_bytes(b"" if name == "empty" else os.urandom(4096))
                state = {p.name: p.is_file() and p.read_bytes() for p in target.parent.iterdir()}
                outcome = subject.run("backup", "restore", str(copy), "--to", str(target))
                wrong = []
                if outcome.code == 0:
                    path, subject.path = subject.path, target
                    wrong = [f"T19 {d}" for d in differences(before, subject.snapshot())]
                    subject.path = path
                elif (now := {p.name: p.is_file() and p.read_bytes() for p in target.parent.iterdir()}) != state:
                    wrong = [f"T19 refused with {outcome.code}, and the folder is another: {sorted(now)}"]
                if name == "nothing" and outcome.code != 0 or name not in ("nothing", "shm", "wal", "journal") and outcome.code == 0:
                    wrong.append(f"T19 exit {outcome.code}: {outcome.stderr}")
                campaign.point(subject, f"beside the target: {name}", wrong)
            yield campaign


def t21(options: Options):
    """A writer holds the lock: waited for, then left, nothing half done."""
    for mode in ("wal", "delete"):
        with subject_of(mode) as subject:
            scenario = Scenario(subject, "reconcile", 12, 3)
            campaign = Campaign(f"T21 busy sqlite/{mode}", options, 4)
            for held in (0.1, 0.5, 1.0, 6.0) * options.scale(1, 100):
                subject.reset()
                application = sqlite3.connect(subject.path, isolation_level=None, check_same_thread=False)
                application.execute("BEGIN IMMEDIATE")
                release = threading.Timer(held, lambda: application.execute("ROLLBACK"))
                release.start()
                outcome = subject.run(*scenario.arguments(), "--lock-timeout", "3s", timeout=120)
                release.join()
                application.close()
                wrong = scenario.settle(outcome)
                if outcome.code not in (0, 6) or held < 1 and outcome.code == 6:
                    wrong.append(f"T21 exit {outcome.code} when the lock is held for {held} s: {outcome.stderr[-300:]!r}")
                campaign.point(subject, f"held {held} s", wrong)
            yield campaign


def t23(options: Options):
    """Mutated database files: no crash, the file stays as it is when the command ends with anything but success."""
    for mode in ("wal", "delete"):
        with subject_of(mode) as subject:
            rng = options.rng("T23 " + mode)
            subject.tasks(60)
            pristine = subject.template.read_bytes()
            campaign = Campaign(f"T23 corrupt files sqlite/{mode}", options, 10)
            codes: collections.Counter = collections.Counter()
            for _ in range(options.scale(10, 1000)):
                subject.reset()
                what = mutate(subject.path, pristine, rng)
                digest = hashlib.sha256(subject.path.read_bytes()).digest()
                wrong = []
                for command in (["list-stuck", "--db", subject.db, "--now", NOW], [*repair(subject.db), "--dry-run"],
                                [*repair(subject.db), "--yes"]):
                    outcome = subject.run(*command)
                    codes[outcome.code] += 1
                    if outcome.code < 0 or outcome.code in (70, 127):
                        wrong.append(f"T23 {command[0]} ends with {outcome.code}: {outcome.stderr[-300:]!r}")
                    if (outcome.code != 0 and outcome.code != 3 or "--yes" not in command) and \
                            hashlib.sha256(subject.path.read_bytes()).digest() != digest:
                        wrong.append(f"T23 {command} ends with {outcome.code}, and the file is another")
                campaign.point(subject, what, wrong)
            campaign.note("exits " + " ".join(f"{c}:{n}" for c, n in sorted(codes.items())))
            yield campaign


def mutate(path: pathlib.Path, pristine: bytes, rng) -> str:
    data = bytearray(pristine)
    kind = rng.choice(["flip", "header", "page", "cut", "zero"])
    if kind == "flip":
        for _ in range(rng.choice([1, 10, 200])):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    elif kind == "header":
        data[rng.randrange(100)] = rng.randrange(256)
    elif kind == "page":
        start = rng.randrange(len(data) // 4096) * 4096
        data[start:start + 4096] = rng.randbytes(4096)
    elif kind == "cut":
        del data[rng.randrange(len(data)):]
    else:
        start = rng.randrange(len(data))
        data[start:start + 2000] = bytes(len(data[start:start + 2000]))
    path.write_bytes(data)
    return kind
