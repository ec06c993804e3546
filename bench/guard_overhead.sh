#!/usr/bin/env bash
# How much slower is one UPDATE of a healthy application with a guard installed?
# usage: bench/guard_overhead.sh TASKCTL [TASKS] [ROUNDS] [durable|fast]
# Needs sqlite3 and python3; for PostgreSQL psql as a superuser on the server's machine, with the PG* variables:
#   pg_virtualenv -t -o fsync=on -v 15 bench/guard_overhead.sh build/release/taskctl
# Three databases, without a guard, with --mode reject and with --mode log, do the same work in turn, in a new order every
# round. One UPDATE is one transaction, as an application's is: claim, heartbeat and end of a task, prepared once, durable (the
# defaults of both engines; pg_virtualenv switches fsync off) or, with fast, without waiting for the disk. Two figures: by the clock, the ratio being the median of the
# rounds' ratios, which is what an application sees; and the CPU time of the process that executes it (PostgreSQL: the
# backend), which no waiting for the disk hides.
set -eu
taskctl=$(realpath "$1")
tasks=${2:-200}
rounds=${3:-11}
warm=20
how=${4:-durable}
bench=$(dirname "$(realpath "$0")")
fixtures=$bench/../tests/fixtures
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
modes=(none reject log)

guard() { # guard LOCATION MODE
  [ "$2" = none ] || "$taskctl" guard install --mode "$2" --db "$1" --yes --quiet 2>/dev/null >/dev/null
}

sqlite_prepare() {
  sqlite3 "$folder/$1.db" <"$fixtures/task_queue.sqlite.sql"
  guard "$folder/$1.db" "$1"
}
# run MODE FIRST: adds tasks with numbers from FIRST, ends them all, prints microseconds per UPDATE: clock, CPU
sqlite_run() {
  sqlite3 "$folder/$1.db" "
    WITH RECURSIVE n (i) AS (SELECT $2 UNION ALL SELECT i + 1 FROM n WHERE i < $2 + $tasks - 1)
    INSERT INTO task_queue (task_id, task_type, status, created_at, updated_at)
      SELECT 'bench_' || i, 'publish', 'pending', '2025-12-19T09:00:00', '2025-12-19 01:00:00' FROM n"
  python3 "$bench/guard_updates.py" "$folder/$1.db" "$2" "$tasks" "$how"
}

postgres_prepare() {
  createdb "taskctl_guard_$1"
  psql -qX -d "taskctl_guard_$1" -f "$fixtures/workspace_tasks.postgres.sql" >/dev/null
  guard "dbname=taskctl_guard_$1" "$1"
}
postgres_run() {
  psql -qX -d "taskctl_guard_$1" -c "DELETE FROM workspace_tasks WHERE id > 1000000" -c "
    INSERT INTO workspace_tasks (id, workspace_id, task_type, execution_mode, status, created_at, updated_at)
      SELECT 1000000 + i, 'ws-bench', 'plan', 'agent', 'pending', now(), now() FROM generate_series(1, $((warm + tasks))) i" \
    -c "VACUUM ANALYZE workspace_tasks"
  [ "$how" = durable ] || export PGOPTIONS="-c synchronous_commit=off"
  psql -qXAt -F " " -v ON_ERROR_STOP=1 -d "taskctl_guard_$1" -f "$folder/postgres.sql"
}
{
  echo "PREPARE claim AS UPDATE workspace_tasks SET status = 'running', started_at = \$2 WHERE id = \$1;"
  echo "PREPARE touch AS UPDATE workspace_tasks SET updated_at = \$2 WHERE id = \$1;"
  echo "PREPARE finish AS UPDATE workspace_tasks SET status = 'success', completed_at = \$2 WHERE id = \$1;"
  used="split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::bigint"
  for ((i = 1; i <= warm + tasks; i++)); do
    # What a session pays once, at its first statements, is not the cost of an UPDATE.
    [ "$i" -ne $((warm + 1)) ] ||
      echo "SELECT $used AS before, extract(epoch FROM clock_timestamp()) AS began \\gset"
    for statement in claim touch finish; do
      echo "EXECUTE $statement(1000000 + $i, '2025-11-07 10:00:00');"
    done
  done
  echo "SELECT round((extract(epoch FROM clock_timestamp()) - :began) * 1000000 / (3 * $tasks), 1),"
  echo "       round(($used - :before) / 1000.0 / (3 * $tasks), 1);"
} >"$folder/postgres.sql"

median() { sort -n | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

measure() { # measure ENGINE
  local engine=$1 mode round first=1 n
  for mode in "${modes[@]}"; do "${engine}_prepare" "$mode"; done
  for ((round = 0; round <= rounds; round++)); do
    declare -A took=()
    for ((n = 0; n < 3; n++)); do
      mode=${modes[(n + round) % 3]}
      took[$mode]=$("${engine}_run" "$mode" "$first")
    done
    first=$((first + tasks))
    [ "$round" -gt 0 ] || continue # the first round warms up
    for mode in "${modes[@]}"; do
      echo "${took[$mode]} ${took[none]}" >>"$folder/$engine.$mode" # clock, CPU, and both without a guard
    done
  done
  for mode in "${modes[@]}"; do
    printf '%-9s %-7s %8.1f us per UPDATE, ratio %.3f; CPU %6.1f us, %+.1f us\n' "$engine" "$mode" \
      "$(awk '{ print $1 }' "$folder/$engine.$mode" | median)" "$(awk '{ print $1 / $3 }' "$folder/$engine.$mode" | median)" \
      "$(awk '{ print $2 }' "$folder/$engine.$mode" | median)" "$(awk '{ print $2 - $4 }' "$folder/$engine.$mode" | median)"
  done
}

measure sqlite
if [ -n "${PGHOST:-}" ]; then
  trap 'rm -rf "$folder"; for mode in "${modes[@]}"; do dropdb --if-exists --force "taskctl_guard_$mode"; done' EXIT
  echo "PostgreSQL: fsync is $(psql -qXAt -c 'SHOW fsync')"
  measure postgres
fi
