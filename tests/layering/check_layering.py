#!/usr/bin/env python3
"""Checks that no file includes a header of a layer above it, and a few greps that keep habits in place.

Reads the tree next to it; prints one line per violation and exits 1 when there is any.
"""
import os
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# layer folder -> layers whose headers it may include (docs/architecture.md has the same table).
LOWER = {
    "src/base": [],
    "src/model": ["base"],
    "src/profile": ["base", "model"],
    "src/sql": ["base", "model", "profile"],
    "src/store": ["base", "model", "profile", "sql"],
    "src/store/sqlite": ["base", "model", "profile", "sql", "store"],
    "src/store/postgres": ["base", "model", "profile", "sql", "store"],
    "src/engine": ["base", "model", "profile", "sql", "store"],
    "src/view": ["base", "model", "profile", "sql", "store", "engine"],
    "src/cli": ["base", "model", "profile", "sql", "store", "engine", "view"],
    "commands": ["base", "model", "profile", "sql", "store", "engine", "view", "cli"],
}
LAYERS = {"base", "model", "profile", "sql", "store", "store/sqlite", "store/postgres", "engine", "view", "cli"}

# External header -> folders that may include it.
EXTERNAL = {
    r"<pqxx/|<libpq-fe": ["src/store/postgres"],
    r"<SQLiteCpp/|<sqlite3\.h>": ["src/store/sqlite"],
    r"<CLI/": ["src/cli", "commands"],
    r"<nlohmann/": ["src/store", "src/view", "commands", "src/cli"],
    r"<toml\+\+|<toml\.hpp": ["src/profile", "src/cli"],
    r"<re2/": ["src/profile"],
    r"<openssl/|<utf8proc": ["src/base"],
    r"<date/": ["src/base"],
}

# Pattern -> files (prefixes) that may contain it, and why it is kept there.
HABITS = [
    (r"std::cout|std::cerr|\bprintf\(|\bfprintf\(", ["src/view/", "src/main.cpp"], "only views print"),
    (r"\bgetenv\(", ["src/base/environment.cpp"], "the environment is read in base/environment"),
    (r"(?<![_\w:.>])exit\(|::exit\(", [], "only main ends the process"),
    (r"system_clock::now", ["src/base/clock.cpp"], "only base/clock reads the time"),
    (r"\bTODO\b|\bFIXME\b|\bXXX\b", [], "an issue instead"),
    (r'(?i)["(]\s*(SELECT\s+.*\bFROM\b|INSERT\s+INTO|UPDATE\s+\S+\s+SET|DELETE\s+FROM|CREATE\s+(TABLE|TRIGGER|INDEX)|DROP\s+(TABLE|TRIGGER))\s',
     ["src/sql/", "src/store/sqlite/", "src/store/postgres/"], "SQL lives in sql/, profiles and the renderer"),
    (r"std::puts|std::fputs|\bputs\(|\bfputs\(|std::fwrite", ["src/view/", "src/main.cpp"], "only views print"),
    (r"\btime\((nullptr|NULL|0|&)|\bgettimeofday\(|\bclock_gettime\(|steady_clock::now", ["src/base/"], "only base/clock reads the time"),
]

MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 60
# Folders that are no layer and hold sources all the same.
WITHOUT_LAYER = {"src"}


def folder_of(path: pathlib.Path) -> str:
    relative = path.relative_to(ROOT).as_posix()
    if relative.startswith("commands/"):
        return "commands"
    return os.path.dirname(relative)


def layer_of_include(include: str) -> str | None:
    folder = os.path.dirname(include)
    if folder in LAYERS:
        return folder
    top = include.split("/")[0]
    return top if top in LAYERS else None


def check_file(path: pathlib.Path) -> list[str]:
    problems = []
    relative = path.relative_to(ROOT).as_posix()
    folder = folder_of(path)
    text = path.read_text(encoding="utf-8")
    allowed = LOWER.get(folder)
    if allowed is None and folder not in WITHOUT_LAYER:
        problems.append(f"{relative}: {folder} is no layer of the table")
    own = folder.removeprefix("src/")
    for number, line in enumerate(text.splitlines(), 1):
        where = f"{relative}:{number}"
        if match := re.match(r'\s*#\s*include\s+"([^"]+)"', line):
            include = match.group(1)
            if include.startswith("."):
                problems.append(f"{where}: a relative include hides its layer: {include}")
            if folder == "commands":
                own_command = relative.split("/")[1]
                parts = include.split("/")
                if parts[0] == "commands" and len(parts) > 2 and parts[1] not in (own_command, "shared") \
                        and relative != "commands/registry.cpp":
                    problems.append(f"{where}: a command includes another command: {include}")
            layer = layer_of_include(include)
            if allowed is not None and layer is not None and layer != own and layer not in allowed:
                problems.append(f"{where}: {folder} may not include {include}")
        elif match := re.match(r"\s*#\s*include\s+(<[^>]+>)", line):
            for pattern, folders in EXTERNAL.items():
                if re.match(pattern, match.group(1)) and folder not in folders:
                    problems.append(f"{where}: {match.group(1)} belongs to {', '.join(folders)}")
        code = line.split("//")[0]
        for pattern, prefixes, why in HABITS:
            if re.search(pattern, code if "TODO" not in pattern else line) and not any(relative.startswith(p) for p in prefixes):
                problems.append(f"{where}: {why}: {line.strip()[:80]}")
    lines = text.count("\n")
    if lines > MAX_FILE_LINES:
        problems.append(f"{relative}: {lines} lines, at most {MAX_FILE_LINES}")
    return problems + check_functions(relative, text)


def check_functions(relative: str, text: str) -> list[str]:
    """Functions as clang-format lays them out: from the line that begins one, in column 0 or 2, to the brace below it."""
    problems = []
    lines = text.splitlines()
    for start, line in enumerate(lines):
        match = re.match(r"( {0}| {2})(?!namespace|class|struct|enum|union|template|if\b|for\b|while\b|switch|else|do\b|try|return)[A-Za-z~\[]", line)
        if not match or "(" not in line:
            continue
        indent = match.group(1)
        body = start
        while body < len(lines) and not re.search(r"[;{}]$", lines[body]):
            body += 1
        if body == len(lines) or not lines[body].endswith("{"):
            continue
        for end in range(body + 1, len(lines)):
            if lines[end].startswith(indent + "}"):
                if end - start + 1 > MAX_FUNCTION_LINES:
                    problems.append(f"{relative}:{start + 1}: a function of {end - start + 1} lines, at most {MAX_FUNCTION_LINES}")
                break
    return problems


def main() -> int:
    files = [p for top in ("src", "commands") for p in sorted((ROOT / top).rglob("*")) if p.suffix in (".cpp", ".hpp")]
    if len(files) < 20:
        print(f"only {len(files)} source files found under {ROOT}: the check looks in the wrong place")
        return 1
    problems = [problem for path in files for problem in check_file(path)]
    print("\n".join(problems) if problems else f"{len(files)} files follow the layering")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
