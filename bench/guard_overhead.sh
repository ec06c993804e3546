#!/usr/bin/env bash
# How much slower is one UPDATE of a healthy application with a guard installed?
# usage: bench/guard_overhead.sh TASKCTL [UPDATES] [ROUNDS]
# Needs sqlite3, psql and, for PostgreSQL, the PG* variables (pg_virtualenv -t -v 15 bench/guard_overhead.sh …).
# The same statements run without a guard, with --mode reject and with --mode log, in turn, ROUNDS times; the ratio is
# that of the fastest rounds. One UPDATE is one transaction, as an application's is: claim, heartbeat and end of a task.
set -eu
taskctl=$(realpath "$1")
updates=${2:-9000}
rounds=${3:-7}
fixtures=$(dirname "$(realpath "$0")")/../tests/fixtures
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
tasks=$((updates / 3))

now_us() { date +%s%6N; }

# statements TABLE KEY: every task is claimed, touched and ended.
sqlite_statements() {
  for ((i = 1; i <= tasks; i++)); do
    echo "UPDATE task_queue SET status = 'running', started_at = '2025-12-19T10:00:00' WHERE task_id = 'bench_$i';"
    echo "UPDATE task_queue SET updated_at = '2025-12-19 02:01:00' WHERE task_id = 'bench_$i';"
    echo "UPDATE task_queue SET status = 'success', completed_at = '2025-12-19 02:02:00' WHERE task_id = 'bench_$i';"
  done
}
postgres_statements() {
  for ((i = 1; i <= tasks; i++)); do
    echo "UPDATE workspace_tasks SET status = 'running', started_at = '2025-11-07 10:00:00' WHERE id = 1000000 + $i;"
    echo "UPDATE workspace_tasks SET updated_at = '2025-11-07 10:01:00' WHERE id = 1000000 + $i;"
    echo "UPDATE workspace_tasks SET status = 'success', completed_at = '2025-11-07 10:02:00' WHERE id = 1000000 + $i;"
  done
}

sqlite_rows() {
  sqlite3 "$1" "DELETE FROM task_queue WHERE task_id LIKE 'bench%';
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $tasks)
    INSERT INTO task_queue (task_id, task_type, status, created_at, updated_at)
      SELECT 'bench_' || i, 'publish', 'pending', '2025-12-19T09:00:00', '2025-12-19 01:00:00' FROM n"
}
postgres_rows() {
  psql -qX -d "$1" -c "DELETE FROM workspace_tasks WHERE id > 1000000" -c "
    INSERT INTO workspace_tasks (id, workspace_id, task_type, execution_mode, status, created_at, updated_at)
      SELECT 1000000 + i, 'ws-bench', 'plan', 'agent', 'pending', now(), now() FROM generate_series(1, $tasks) i" \
    -c "VACUUM ANALYZE workspace_tasks"
}

sqlite_run() {
  { echo "PRAGMA journal_mode = wal; PRAGMA synchronous = off;"; cat "$folder/sqlite.sql"; } | sqlite3 "$1" >/dev/null
}
postgres_run() { psql -qX -v ON_ERROR_STOP=1 -d "$1" -c "SET synchronous_commit = off" -f "$folder/postgres.sql" >/dev/null; }

# measure ENGINE DATABASE LOCATION
measure() {
  local engine=$1 database=$2 location=$3 mode round began took
  declare -A best=()
  for ((round = 0; round < rounds; round++)); do
    for mode in none reject log; do
      "$taskctl" guard remove --db "$location" --yes --quiet 2>/dev/null >/dev/null
      [ "$mode" = none ] || "$taskctl" guard install --mode "$mode" --db "$location" --yes --quiet 2>/dev/null >/dev/null
      "${engine}_rows" "$database"
      began=$(now_us)
      "${engine}_run" "$database"
      took=$(($(now_us) - began))
      if [ -z "${best[$mode]:-}" ] || [ "$took" -lt "${best[$mode]}" ]; then best[$mode]=$took; fi
    done
  done
  for mode in none reject log; do
    awk -v e="$engine" -v m="$mode" -v t="${best[$mode]}" -v b="${best[none]}" -v n=$((tasks * 3)) \
      'BEGIN { printf "%-9s %-7s %8.1f us per UPDATE  ratio %.3f\n", e, m, t / n, t / b }'
  done
}

sqlite_statements >"$folder/sqlite.sql"
sqlite3 "$folder/tasks.db" <"$fixtures/task_queue.sqlite.sql"
measure sqlite "$folder/tasks.db" "$folder/tasks.db"

if [ -n "${PGHOST:-}" ]; then
  postgres_statements >"$folder/postgres.sql"
  createdb taskctl_guard_bench
  trap 'rm -rf "$folder"; dropdb --force taskctl_guard_bench' EXIT
  psql -qX -d taskctl_guard_bench -f "$fixtures/workspace_tasks.postgres.sql" >/dev/null
  measure postgres taskctl_guard_bench dbname=taskctl_guard_bench
fi
