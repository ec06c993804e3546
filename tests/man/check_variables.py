#!/usr/bin/env python3
"""The variables that the sources read are those of src/cli/variables.hpp, which the manual pages list."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Read by libpq, not by us.
OF_LIBRARIES = {"PGHOST", "PGPASSWORD"}


def main() -> int:
    described = set(re.findall(r'\{"([A-Z_]+)",', (ROOT / "src/cli/variables.hpp").read_text(encoding="utf-8")))
    read = set()
    for path in [*(ROOT / "src").rglob("*.cpp"), *(ROOT / "commands").rglob("*.cpp")]:
        text = path.read_text(encoding="utf-8")
        read |= set(re.findall(r'\b(?:environment|user_folder)\("([A-Z_]+)"', text))
        read |= set(re.findall(r'option_or_variable\([^)]*?"([A-Z_]+)"\)', text))
    for name in sorted(read - described):
        print(f"{name} is read: describe it in src/cli/variables.hpp")
    for name in sorted(described - read - OF_LIBRARIES):
        print(f"{name} is described in src/cli/variables.hpp, and nothing reads it")
    return 1 if read - described or described - read - OF_LIBRARIES or len(read) < 10 else 0


if __name__ == "__main__":
    sys.exit(main())
