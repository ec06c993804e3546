#!/usr/bin/env python3
"""Types into a real bash, zsh or fish, presses Tab, and looks at the words that the program gets then.

Usage: complete_in_shell.py bash|zsh|fish. In the shell taskctl is a script that answers the completion's questions with
the real program and prints its arguments for everything else, so that quoting is seen as well.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

from terminal import Terminal

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "fixtures"
PROMPT = "ready> "

# Typed before Tab -> the words that the program gets.
CASES = [
    ("list-st", ["list-stuck"]),
    ("help reconc", ["help", "reconcile"]),
    ("help profile.", ["help", "profile.5"]),
    ("list-stuck --include", ["list-stuck", "--include-fine"]),
    ("list-stuck --output jsonl --cert", ["list-stuck", "--output", "jsonl", "--certainty"]),
    ("list-stuck --certainty prob", ["list-stuck", "--certainty", "probable"]),
    ("list-stuck --output=csv --rule=over", ["list-stuck", "--output=csv", "--rule=overdue"]),
    ("reconcile --backup ta", ["reconcile", "--backup", "tables"]),
    ("reconcile --outcome=req", ["reconcile", "--outcome=requeued"]),
    ("backup --verify rest", ["backup", "--verify", "restore"]),
    ("backup ver", ["backup", "verify"]),
    ("explain dupl", ["explain", "duplicate-result"]),
    ("completion fi", ["completion", "fish"]),
    ("list-stuck --target pr", ["list-stuck", "--target", "prod"]),
    ("list-stuck --target=pr", ["list-stuck", "--target=prod"]),
    ("list-stuck --profile work", ["list-stuck", "--profile", "workspace-tasks"]),
    ("list-stuck --kind publ", ["list-stuck", "--kind", "publish"]),
    ("show task_004", ["show", "task_0048"]),
    ("show --target queue task_005", ["show", "--target", "queue", "task_0053"]),
    ("cancel --force ta\\ sk", ["cancel", "--force", "ta sk:1"]),
    ("cancel 'ta sk", ["cancel", "ta sk:1"]),
    ("undo RUN", ["undo", "{run}"]),
    ("history show RUN", ["history", "show", "{run}"]),
    ("list-stuck --db ot", ["list-stuck", "--db", "other.db"]),
    ("list-stuck --db=ot", ["list-stuck", "--db=other.db"]),
    ("backup --backup-dir sub", ["backup", "--backup-dir", "subfolder/"]),
    ("show --db other.db task_001", ["show", "--db", "other.db", "task_0011"]),
]
# Typed before Tab -> words that are shown, because there are several.
LISTS = [
    ("list-stuck --output ", ["table", "jsonl", "csv", "ids"]),
    ("guard ", ["install", "status", "remove", "print", "report"]),
    ("history show --", ["--db", "--target", "--limit"]),
]
# Nothing can be offered, nothing must be shown: an unreadable database, a mistake, a word that nothing fits.
SILENT = ["show --db /nonexistent/x.db task_", "list-stuck --nonsense=", "nonsense ", "list-stuck --target zzz"]


def set_up(folder: pathlib.Path, binary: str) -> str:
    script = (FIXTURES / "task_queue.sqlite.sql").read_bytes()
    for name in ("tasks.db", "other.db"):
        subprocess.run(["sqlite3", folder / name], input=script, check=True)
    # In tasks.db each beginning that is typed leads to one task; another one has an id that must be quoted.
    keep = "DELETE FROM task_queue WHERE status = 'running' AND task_id NOT IN ('task_0048', 'task_0053');"
    odd = "UPDATE task_queue SET status = 'running', started_at = '2025-12-01T00:00:00', task_id = "
    subprocess.run(["sqlite3", folder / "tasks.db", keep + odd + "'ta sk:1' WHERE task_id = 'task_0010'"], check=True)
    subprocess.run(["sqlite3", folder / "other.db", odd + "'task_0011' WHERE task_id = 'task_0011'"], check=True)
    (folder / "subfolder").mkdir()
    config = folder / "config" / "taskctl"
    config.mkdir(parents=True)
    (config / "config.toml").write_text(f'default_target = "queue"\n[target.queue]\ndb = "{folder}/tasks.db"\n'
                                        '[target.prod]\ndb = "postgresql:///nothing"\n', encoding="utf-8")
    fake = folder / "bin" / "taskctl"
    fake.parent.mkdir()
    fake.write_text(f"""#!/bin/bash
if [ "$1" = __complete ]; then exec '{binary}' "$@"; fi
printf 'GOT'; printf '<%s>' "$@"; printf 'END\\n'
""", encoding="utf-8")
    fake.chmod(0o755)
    environment = environment_in(folder)
    subprocess.run([binary, "reconcile", "--limit", "1", "--max-age", "24", "--yes", "--no-backup", "--quiet"],
                   env=environment, check=True, stdout=subprocess.DEVNULL, cwd=folder)
    # The repaired task is to be offered again.
    history = subprocess.run([binary, "history", "--output", "json", "--quiet"], env=environment, check=True, capture_output=True,
                             text=True, cwd=folder).stdout
    run = history.split('"id": "')[1].split('"')[0]
    subprocess.run([binary, "undo", run, "--yes", "--no-backup", "--quiet"], env=environment, check=True,
                   stdout=subprocess.DEVNULL, cwd=folder)
    return run


def environment_in(folder: pathlib.Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith("TASKCTL_") and name not in ("DATABASE_URL", "COLUMNS", "LINES")}
    return dict(kept, PATH=f"{folder}/bin:{os.environ['PATH']}", HOME=str(folder), XDG_CONFIG_HOME=f"{folder}/config",
                XDG_STATE_HOME=f"{folder}/state", XDG_DATA_HOME=f"{folder}/data", LC_ALL="C.UTF-8", TERM="xterm",
                INPUTRC="/dev/null")


def start(shell: str, folder: pathlib.Path, binary: str) -> Terminal:
    script = folder / f"completion.{shell}"
    script.write_bytes(subprocess.run([binary, "completion", shell], check=True, capture_output=True).stdout)
    command = {"bash": ["bash", "--norc", "--noprofile", "-i"], "zsh": ["zsh", "-f", "-i"],
               "fish": ["fish", "--no-config", "-i"]}[shell]
    terminal = Terminal(command, environment_in(folder), str(folder))
    prepare = {
        "bash": f"bind 'set bell-style none'; bind 'set enable-bracketed-paste off'; PS1='{PROMPT}'; source {script}",
        "zsh": f"autoload -Uz compinit; compinit -u -D; unsetopt zle_bracketed_paste; PS1='{PROMPT}'; source {script}",
        "fish": f"function fish_prompt; printf '{PROMPT}'; end; set fish_autosuggestion_enabled 0; source {script}",
    }[shell]
    terminal.settle(1.0)
    terminal.type(prepare + "; echo prepared''-now\r" if shell != "fish" else prepare + "; echo prepared'-now'\r")
    terminal.read_until("prepared-now")
    terminal.settle(0.3)
    return terminal


def words(arguments: list[str]) -> str:
    return "GOT" + "".join(f"<{argument}>" for argument in arguments) + "END"


def run(shell: str, folder: pathlib.Path, binary: str) -> list[str]:
    run_id = set_up(folder, binary)
    begin_of_run = run_id[:-2]
    before = {path.name: path.read_bytes() for path in folder.glob("*.db")}
    terminal = start(shell, folder, binary)
    problems = []

    def gets(typed: str, wanted: str) -> str:
        """Empty, or what was shown instead. A machine that is busy may let the program's second pass without an answer."""
        for attempt in range(3):
            terminal.type(f"taskctl {typed}\t")
            terminal.settle(0.1)
            terminal.type("\r")
            try:
                terminal.read_until("END", 10)
            except AssertionError:
                terminal.type("\x03")
            seen = terminal.last + terminal.settle(0.1)
            if re.search(wanted, seen):
                return ""
        return seen

    for typed, arguments in CASES:
        typed = typed.replace("RUN", begin_of_run)
        wanted = re.escape(words([argument.replace("{run}", run_id) for argument in arguments]))
        # zsh takes the slash away again when the word ends there.
        if seen := gets(typed, wanted.replace("/>END", "/?>END")):
            problems.append(f"{shell}: taskctl {typed}<Tab> does not become {arguments}, but:\n{seen}")
    for typed, shown in LISTS:
        terminal.type(f"taskctl {typed}\t\t")
        seen = terminal.settle(0.8)
        missing = [word for word in shown if word not in seen]
        if missing:
            problems.append(f"{shell}: taskctl {typed}<Tab><Tab> does not show {missing}, but:\n{seen}")
        terminal.type("\x03")
        terminal.settle(0.2)
    for typed in SILENT:
        terminal.type(f"taskctl {typed}\t\t")
        seen = terminal.settle(0.8).replace("\x07", "")
        if any(word in seen for word in ("HINT", "error", "taskctl:", "warning", "no such file")):
            problems.append(f"{shell}: taskctl {typed}<Tab><Tab> shows\n{seen}")
        terminal.type("\x03")
        terminal.settle(0.2)
    terminal.close()
    after = {path.name: path.read_bytes() for path in folder.glob("*.db*")}
    if before != after:
        problems.append(f"{shell}: completing changed {sorted(before)} to {sorted(after)}")
    return problems


def main() -> int:
    shell = sys.argv[1]
    with tempfile.TemporaryDirectory(prefix="taskctl-shell-") as name:
        problems = run(shell, pathlib.Path(name), os.environ["TASKCTL"])
    print("\n".join(problems) or f"{shell}: {len(CASES) + len(LISTS) + len(SILENT)} lines completed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
