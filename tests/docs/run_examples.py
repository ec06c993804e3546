#!/usr/bin/env python3
"""Runs every example of a Markdown page and compares what it prints with what the page shows.

A comment sets the scene:    <!-- example: task_queue.sqlite.sql -->   (a fixture; SQLite: tasks.db, PostgreSQL: $PGDATABASE)
Every ```console block after it is run in order in one folder; lines that begin with "$ " are commands, the lines after
them are the expected output (both streams). A line "…" stands for any number of lines. ```toml and ```sh blocks that
begin with "# file: NAME" are written to that file first. Run ids, times in backup names, hashes, hosts and versions
may differ. "now: TIME" after the fixture adds --now to commands that take it (a saved plan has its own), for a sample stands at a moment of its own; the
page shows what people type, without the option and the warning about it. TASKCTL_TEST_ACCEPT=1 writes the real output
into the page instead and ends with 77.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import uuid

HERE = pathlib.Path(__file__).resolve().parent
FIXTURES = HERE.parent / "fixtures"

LOOSE = [
    (r"\b\d{8}T\d{6}-[0-9a-f]{6}\b", "RUN"),
    (r"\b\d{8}T\d{6}-[0-9a-f]{1,5}\b", "RUN"),
    (r"_backup_\d{8}_\d{6}(-\d+)?\b", "_backup_TIME"),
    (r"-[0-9a-f]{16}\.db\b", "-HASH.db"),
    (r"\b[0-9a-f]{64}\b", "HASH"),
    (r"(SQLite|PostgreSQL) \d+\.\d+(\.\d+)?", r"\1 VERSION"),
    (r"\b\w+@[\w.-]+", "WHO"),
    (r"\bpid \d+", "pid PID"),
    (r"\d+ bytes", "N bytes"),
    (r"is \S+ before the database's clock", "is LONG before the database's clock"),
    (r"paused \S+ for", "paused LONG for"),
    (r"host \S+", "host HOST"),
    (r"user \S+", "user USER"),
    (r"20(2[6-9]|[3-9]\d)-\d\d-\d\d(T| )\d\d:\d\d:\d\d(\.\d+)?Z?", "TODAY"),
]


def loose(text: str, folder: str) -> list[str]:
    text = text.replace(folder + "/", "").replace(folder, ".")
    for pattern, replacement in LOOSE:
        text = re.sub(pattern, replacement, text)
    return [re.sub(r"\s+", " ", line).strip() for line in text.rstrip("\n").split("\n")]


def matches(expected: list[str], actual: list[str]) -> bool:
    if not expected:
        return not actual
    if expected[0] == "…":
        return any(matches(expected[1:], actual[i:]) for i in range(len(actual) + 1))
    return bool(actual) and expected[0] == actual[0] and matches(expected[1:], actual[1:])


class Scene:
    def __init__(self, fixture: str, now: str | None, columns: int) -> None:
        self.dir = tempfile.TemporaryDirectory(prefix="taskctl-docs-")
        self.folder = self.dir.name
        binary = pathlib.Path(os.environ["TASKCTL"])
        self.env = dict(os.environ, PATH=f"{binary.parent}:{os.environ['PATH']}", HOME=self.folder, COLUMNS=str(columns),
                        XDG_STATE_HOME=f"{self.folder}/state", XDG_CONFIG_HOME=f"{self.folder}/config", LC_ALL="C.UTF-8",
                        NO_COLOR="1")
        self.env.pop("DATABASE_URL", None)
        self.database = ""
        self.now = now
        if now:
            self.stop_clock(binary, now)
        if fixture.endswith(".postgres.sql"):
            self.database = "docs_" + uuid.uuid4().hex[:10]
            subprocess.run(["psql", "-qX", "-d", "postgres", "-c", f"CREATE DATABASE {self.database}"], check=True)
            self.env["PGDATABASE"] = self.database
            subprocess.run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-f", str(FIXTURES / fixture)], check=True, env=self.env,
                           stdout=subprocess.DEVNULL)
        elif fixture != "none":
            subprocess.run(["sqlite3", f"{self.folder}/tasks.db"], input=(FIXTURES / fixture).read_bytes(), check=True)

    def stop_clock(self, binary: pathlib.Path, now: str) -> None:
        folder = pathlib.Path(self.folder) / ".stopped"
        folder.mkdir()
        script = folder / "taskctl"
        script.write_text(f"""#!/bin/bash
if '{binary}' "$1" --help 2>/dev/null | grep -q -- ' --now ' && [[ " $* " != *' --now '* && " $* " != *' --plan '* && $1 != plan ]]; then
  exec '{binary}' "$1" --now '{now}' "${{@:2}}"
fi
exec '{binary}' "$@"
""", encoding="utf-8")
        script.chmod(0o755)
        self.env["PATH"] = f"{folder}:{self.env['PATH']}"

    def run(self, command: str) -> str:
        result = subprocess.run(["bash", "-c", command], cwd=self.folder, env=self.env, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, timeout=60, check=False)
        text = result.stdout.decode("utf-8", "backslashreplace")
        if self.now:
            text = re.sub(r"^warning: --now .*\n", "", text, flags=re.MULTILINE)
        return text.replace(self.database, "tasks") if self.database else text

    def close(self) -> None:
        if self.database:
            subprocess.run(["psql", "-qX", "-d", "postgres", "-c", f"DROP DATABASE {self.database} WITH (FORCE)"], check=False)
        self.dir.cleanup()


def steps(block: list[str]) -> list[tuple[str, list[str]]]:
    found: list[tuple[str, list[str]]] = []
    for line in block:
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif found and found[-1][0].endswith("\\") and not found[-1][1]:
            found[-1] = (found[-1][0] + "\n" + line, [])
        elif found:
            found[-1][1].append(line)
    return found


class Page:
    def __init__(self, path: pathlib.Path) -> None:
        self.path, self.accept = path, bool(os.environ.get("TASKCTL_TEST_ACCEPT"))
        # A manual page is indented, and read in narrower terminals than a web page.
        self.columns = 96 if re.search(r"\.[15]\.md$", path.name) else 118
        self.scene: Scene | None = None
        self.output: list[str] = []
        self.failures = self.commands = 0

    def console(self, block: list[str]) -> None:
        if self.scene is None:
            self.failures += 1
            print(f"{self.path.name}: a console block without <!-- example: … --> before it:\n" + "\n".join(block))
            self.output += block
            return
        for command, expected in steps(block):
            self.commands += 1
            real = self.scene.run(command)
            self.output.append("$ " + command)
            shown = real.replace(self.scene.folder + "/", "").replace(self.scene.folder, ".").rstrip("\n")
            if self.accept:
                self.output += shown.split("\n") if shown else []
                continue
            self.output += expected
            wanted = loose("\n".join(expected), self.scene.folder) if expected else []
            actual = loose(real, self.scene.folder) if real.strip() else []
            if not matches([l for l in wanted if l], [l for l in actual if l]):
                self.failures += 1
                print(f"{self.path.name}: $ {command}\n--- the page shows\n" + "\n".join(expected) + f"\n--- it prints\n{shown}\n")

    def block(self, language: str, block: list[str]) -> None:
        if language == "console":
            self.console(block)
            return
        if block and block[0].startswith("# file: ") and self.scene is not None:
            file = pathlib.Path(self.scene.folder) / block[0].removeprefix("# file: ").strip()
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("\n".join(block) + "\n", encoding="utf-8")
        self.output += block

    def run(self) -> int:
        lines = self.path.read_text(encoding="utf-8").split("\n")
        i = 0
        while i < len(lines):
            line = lines[i]
            self.output.append(line)
            i += 1
            if match := re.match(r"<!-- example: (\S+)(?: now: (\S+))? -->", line):
                if self.scene:
                    self.scene.close()
                self.scene = Scene(match.group(1), match.group(2), self.columns)
            elif match := re.match(r"```(\w+)", line):
                end = lines.index("```", i)
                self.block(match.group(1), lines[i:end])
                self.output.append("```")
                i = end + 1
        if self.scene:
            self.scene.close()
        if self.accept:
            self.path.write_text("\n".join(self.output), encoding="utf-8")
            print(f"wrote {self.path}; read it before you commit it")
            return 77
        print(f"{self.path.name}: {self.commands} examples, {self.failures} differ")
        return 1 if self.failures or self.commands == 0 else 0


if __name__ == "__main__":
    sys.exit(Page(pathlib.Path(sys.argv[1])).run())
