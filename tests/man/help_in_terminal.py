#!/usr/bin/env python3
"""`taskctl help X`: the manual page on a terminal that has man, the plain help everywhere else."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "shells"))
from terminal import Terminal  # noqa: E402

problems: list[str] = []


def expect(what: str, text: str, *parts: str, absent: str = "\0") -> None:
    missing = [part for part in parts if part not in text]
    if missing or absent in text:
        problems.append(f"{what}: {missing} missing, or {absent!r} there:\n{text}")


def on_terminal(topic: list[str], environment: dict[str, str]) -> str:
    terminal = Terminal([os.environ["TASKCTL"], "help", *topic], environment, "/")
    text = terminal.settle(5.0)
    terminal.close()
    # man prints bold letters twice.
    return re.sub(".\b", "", text)


def main() -> int:
    environment = dict(os.environ, MANPAGER="cat", PAGER="cat", TERM="dumb", LC_ALL="C.UTF-8", MANWIDTH="80")
    with tempfile.TemporaryDirectory() as empty:
        without_man = dict(environment, PATH=empty)
        expect("page of a command", on_terminal(["list-stuck"], environment), "TASKCTL-LIST-STUCK(1)", "EXAMPLES",
               "--include-fine", "EXIT STATUS", "SEE ALSO")
        expect("page of a format", on_terminal(["profile.5"], environment), "TASKCTL-PROFILE(5)", "[[liveness]]")
        expect("page of all", on_terminal(["taskctl"], environment), "TASKCTL(1)", "COMMANDS")
        expect("no man", on_terminal(["list-stuck"], without_man), "Usage: taskctl list-stuck", absent="TASKCTL-LIST-STUCK(1)")
        expect("no man, a format", on_terminal(["config.5"], without_man), "default_target", absent="TASKCTL-CONFIG(5)")
    for topic in (["list-stuck"], ["backup", "verify"], ["config(5)"], ["taskctl"]):
        piped = subprocess.run([os.environ["TASKCTL"], "help", *topic], capture_output=True, text=True, check=False)
        expect(f"piped {topic}", piped.stdout + f"code {piped.returncode}", "code 0", absent="(1)  ")
        if piped.stderr:
            problems.append(f"piped {topic}: {piped.stderr}")
    unknown = subprocess.run([os.environ["TASKCTL"], "help", "reconcyle"], capture_output=True, text=True, check=False)
    expect("unknown", unknown.stderr + f"code {unknown.returncode}", "Did you mean 'reconcile'?", "code 2")
    print("\n".join(problems) or "help opens what it should")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
