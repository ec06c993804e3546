"""scripts/bench, small: every line of the design's table is there, with figures of both sides."""
import os
import re
import subprocess
import sys

# What is measured, and a pattern of its ratio.
TIMES = r"\d+\.\d\dx \(processor \d+\.\d\dx\)"
START = r"\d+\.\d ms, \d+\.\dx faster"
EXPECTED = {
    "start-up: --version": START,
    "start-up: list-stuck on a small file": START,
    **{f"{what}, {engine}": TIMES
       for engine in ("SQLite", "PostgreSQL") for what in ("reconcile", "backup with verification")},
    **{f"list-stuck, {engine}, {how}": TIMES
       for engine in ("SQLite", "PostgreSQL") for how in ("status indexed", "no usable index")},
    **{f"memory of list-stuck, {engine}": r"\d+ MiB" for engine in ("SQLite", "PostgreSQL")},
    **{f"worker beside reconcile, {engine}: p99": r"\d+\.\d\dx, 0 busy, none lost"
       for engine in ("SQLite", "PostgreSQL")},
    **{f"worker beside reconcile, {engine}: longest wait": r"\d+ ms" for engine in ("SQLite", "PostgreSQL")},
    "list-stuck with results, logs and accounts, PostgreSQL": TIMES,
}


def main():
    command = ["scripts/bench", "--rows", "10000", "--runs", "1", "--write-runs", "1", "--alone", "1"]
    result = subprocess.run(command, cwd=os.environ["TASKCTL_SOURCE"], capture_output=True, text=True, timeout=280)
    if result.returncode != 0:
        sys.exit(f"scripts/bench ended with {result.returncode}:\n{result.stderr[-3000:]}")
    lines = {}
    for line in result.stdout.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and cells[0] != "what":
            lines[cells[0]] = cells
    wrong = [what for what in EXPECTED if what not in lines] + [what for what in lines if what not in EXPECTED]
    for what, pattern in EXPECTED.items():
        cells = lines.get(what, ["", "", "", "", "", ""])
        if not re.fullmatch(pattern, cells[3]) or not re.search(r"\d", cells[1]) or cells[5] not in ("met", "NOT met"):
            wrong.append(f"{what}: {cells}")
    if wrong:
        sys.exit("missing, unknown or without figures:\n" + "\n".join(wrong) + "\n\n" + result.stdout)


main()
