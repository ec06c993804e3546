#!/usr/bin/env python3
"""Makes the Debian package of a build folder, looks into it, installs it into a scratch root, runs it, and removes it.

Usage: package_test.py BUILD_FOLDER. Nothing of this machine's own packages is touched: dpkg works on a database of its own.
"""
import gzip
import os
import pathlib
import re
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parents[2]
FIXTURE = SOURCE / "tests" / "fixtures" / "task_queue.sqlite.sql"

problems: list[str] = []


def expect(what: str, holds: object, detail: object = "") -> None:
    if not holds:
        problems.append(f"{what}: {detail}")


def run(*command: object, **options: object) -> str:
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, **options)
    if result.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}: code {result.returncode}\n{result.stdout}{result.stderr}")
    return result.stdout


def pack(build: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    run("cpack", "-G", "DEB", "--config", build / "CPackConfig.cmake", "-B", folder / "pack", cwd=folder)
    made = list((folder / "pack").glob("*.deb"))
    expect("one package", len(made) == 1, made)
    return made[0]


def check_control(package: pathlib.Path) -> None:
    field = lambda name: run("dpkg-deb", "-f", package, name).strip()  # noqa: E731
    version = re.search(r"project\(taskctl VERSION ([\d.]+)", (SOURCE / "CMakeLists.txt").read_text(encoding="utf-8")).group(1)
    expect("version", field("Version") == f"{version}-1", field("Version"))
    changelog = (SOURCE / "packaging/debian/changelog").read_text(encoding="utf-8").splitlines()
    expect("first line of the changelog", changelog[0].startswith(f"taskctl ({field('Version')}) "), changelog[0])
    expect("maintainer", any(field("Maintainer") in line for line in changelog), field("Maintainer"))
    for library in ("libc6", "libsqlite3-0", "libpq5", "libstdc++6", "libfmt9", "tzdata"):
        expect("Depends", library in field("Depends"), f"{library} is not in {field('Depends')}")
    expect("Recommends", field("Recommends") == "postgresql-client", field("Recommends"))
    # Would apt find what it depends on? Nothing is installed by this.
    run("apt-get", "install", "--simulate", "--no-install-recommends", "-y", package)


def check_lint(package: pathlib.Path) -> None:
    lint = subprocess.run(["lintian", "--allow-root", "--fail-on", "error,warning", package], capture_output=True, text=True, check=False)
    expect("lintian", lint.returncode == 0 and not lint.stdout.strip(), lint.stdout + lint.stderr)


def dpkg(root: pathlib.Path, *arguments: object) -> None:
    # Depends stand in this machine's database, not in the scratch one; check_control asks apt about them.
    run("dpkg", "--root", root, "--force-depends", "--force-not-root", "--log", root / "dpkg.log", *arguments)


def files_in(root: pathlib.Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*")
            if not path.is_dir() and not str(path.relative_to(root)).startswith(("var/lib/dpkg", "dpkg.log"))}


def check_files(root: pathlib.Path, files: set[str]) -> None:
    pages = [f"usr/share/man/man{page.name[-4]}/{page.name[:-3]}.gz" for page in (SOURCE / "man").glob("*.md")]
    doc = "usr/share/doc/taskctl"
    for name in ["usr/bin/taskctl", *pages, "usr/share/bash-completion/completions/taskctl",
                 "usr/share/zsh/vendor-completions/_taskctl", "usr/share/fish/vendor_completions.d/taskctl.fish",
                 f"{doc}/copyright", f"{doc}/changelog.Debian.gz", f"{doc}/examples/config.toml", f"{doc}/examples/taskctl.cron",
                 "usr/lib/systemd/system/taskctl-reconcile@.service", "usr/lib/systemd/system/taskctl-reconcile@.timer"]:
        expect("files", name in files, f"{name} is missing among {sorted(files)}")
    expect("nothing is enabled", not any(name.startswith("etc/") for name in files), sorted(files))
    text = gzip.decompress((root / "usr/share/man/man1/taskctl-list-stuck.1.gz").read_bytes()).decode("ascii")
    expect("manual page", ".SH OPTIONS" in text and "\\-\\-include\\-fine" in text, text[:300])
    for path in root.joinpath("usr").rglob("*"):
        expect("modes", path.stat().st_mode & 0o7777 in ((0o755,) if path.is_dir() or path.name == "taskctl" and path.parent.name == "bin"
                                                         else (0o644,)), f"{path} {path.stat().st_mode:o}")


def check_use(root: pathlib.Path, folder: pathlib.Path) -> None:
    binary = root / "usr/bin/taskctl"
    environment = dict(os.environ, HOME=str(folder), XDG_STATE_HOME=f"{folder}/state", XDG_CONFIG_HOME=f"{folder}/config")
    for name in [name for name in environment if name.startswith("TASKCTL_") or name == "DATABASE_URL"]:
        del environment[name]
    run("sqlite3", folder / "tasks.db", input=FIXTURE.read_text(encoding="utf-8"))
    found = run(binary, "list-stuck", "--db", folder / "tasks.db", "--output", "ids", "--quiet", env=environment)
    expect("list-stuck", "task_0048" in found, found)
    # The example of the configuration is one that taskctl takes.
    example = root / "usr/share/doc/taskctl/examples/config.toml"
    shown = run(binary, "config", "show", "--config", example, "--target", "prod", env=environment)
    expect("config example", "workspace-tasks" in shown, shown)


def check_cron(root: pathlib.Path) -> None:
    text = (root / "usr/share/doc/taskctl/examples/taskctl.cron").read_text(encoding="utf-8")
    commands = [line.split(None, 6)[6] for line in text.splitlines() if line and not line.startswith("#")]
    expect("cron example", len(commands) >= 2, text)
    for command in commands:
        # Nothing is named q in no configuration at all: the line is right when only the target is unknown.
        result = subprocess.run(["bash", "-c", command], env={"PATH": f"{root}/usr/bin:/usr/bin:/bin", "HOME": str(root.parent / "home")},
                                capture_output=True, text=True, check=False)
        expect(f"cron: {command}", "unknown target 'queue'" in result.stderr, result.stderr)


def check_systemd(root: pathlib.Path) -> None:
    units = root / "usr/lib/systemd/system"
    for unit in ("sysinit", "basic", "timers", "shutdown", "network-online"):
        (units / f"{unit}.target").write_text("[Unit]\n", encoding="utf-8")
    verified = subprocess.run(["systemd-analyze", "verify", "--man=no", "--root", root, "taskctl-reconcile@prod.timer",
                               "taskctl-reconcile@prod.service"], capture_output=True, text=True, check=False)
    ours = [line for line in verified.stderr.splitlines() if "taskctl" in line]
    expect("systemd-analyze verify", verified.returncode == 0 and not ours, verified.stderr)
    rated = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--threshold=30", "--root", root,
                            "taskctl-reconcile@prod.service"], capture_output=True, text=True, check=False)
    expect("systemd-analyze security", rated.returncode == 0, rated.stdout[-600:] + rated.stderr)


def main() -> int:
    build = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory(prefix="taskctl-package-") as name:
        folder = pathlib.Path(name)
        root = folder / "root"
        for part in ("var/lib/dpkg/updates", "var/lib/dpkg/info"):
            (root / part).mkdir(parents=True)
        (root / "var/lib/dpkg/status").touch()
        package = pack(build, folder)
        check_control(package)
        check_lint(package)
        dpkg(root, "--install", package)
        files = files_in(root)
        check_files(root, files)
        check_use(root, folder)
        check_cron(root)
        dpkg(root, "--purge", "taskctl")
        expect("nothing is left", not files_in(root), files_in(root))
        dpkg(root, "--install", package)
        check_systemd(root)
    print("\n".join(problems) or f"{package.name}: {len(files)} files, installed, run and removed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
