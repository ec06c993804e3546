#!/usr/bin/env python3
"""Every manual page as built: mandoc and groff find nothing to complain about, and it can be read in 80 columns.

Usage: lint.py FOLDER (of the built pages).
"""
import os
import pathlib
import subprocess
import sys


def complaints(page: pathlib.Path) -> list[str]:
    text = page.read_text(encoding="ascii")
    lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page], capture_output=True, text=True, check=False)
    # As lintian asks groff.
    environment = dict(os.environ, LC_ALL="C.UTF-8", MANROFFSEQ="", MANWIDTH="80")
    warnings = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page], env=environment, stderr=subprocess.PIPE,
                              stdout=subprocess.DEVNULL, text=True, check=False)
    shown = subprocess.run(["man", "-E", "UTF-8", "-l", page], env=dict(environment, MANPAGER="cat"), capture_output=True,
                           text=True, check=False)
    found = lint.stdout.splitlines() + lint.stderr.splitlines() + warnings.stderr.splitlines() + shown.stderr.splitlines()
    if lint.returncode != 0 or warnings.returncode != 0 or shown.returncode != 0:
        found.append(f"codes {lint.returncode} {warnings.returncode} {shown.returncode}")
    for mark in ("@SYNOPSIS@", "<!--", "```", "**", "]("):
        if mark in text:
            found.append(f"'{mark}' is left in the page")
    return [f"{page.name}: {line}" for line in found]


def main() -> int:
    pages = sorted(pathlib.Path(sys.argv[1]).glob("*.[15]"))
    found = [complaint for page in pages for complaint in complaints(page)]
    print("\n".join(found) or f"{len(pages)} manual pages are in order")
    return 1 if found or len(pages) < 5 else 0


if __name__ == "__main__":
    sys.exit(main())
