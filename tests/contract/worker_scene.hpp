#pragma once

#include <string>

#include "contract/repair_scene.hpp"

namespace taskctl::test {

/// A queue whose nodes beat, hold tasks by a lease where they have one, and keep an account of what their tasks cost.
inline const std::string k_crew_profile = R"TOML(
format  = 1
name    = "crew"
summary = "nodes of the tests"
engines = ["sqlite", "postgres"]
safety  = "full"

[task]
table  = "tasks"
key    = ["id"]
status = "state"
kind   = "kind"
worker = "node"

[task.time]
created  = "created_at"
started  = "started_at"
finished = "finished_at"
lease    = "lease_until"

[encoding.utc]
format    = "text"
separator = " "
fraction  = 0
zone      = "UTC"

[times.tasks]
created_at  = "utc"
started_at  = "utc"
finished_at = "utc"
lease_until = "utc"

[times.nodes]
beat_at = "utc"

[[class]]
column    = "state"
queued    = ["queued"]
active    = ["running"]
failed    = ["failed"]
cancelled = ["cancelled"]

[[liveness]]
source = "lease"

[[liveness]]
source    = "table"
table     = "nodes"
key       = "name"
heartbeat = "beat_at"
timeout   = "2m"
missing   = "unknown"

[defaults]
contradiction = "cancelled"
dead          = "failed"
overdue       = "cancelled"
cancel        = "cancelled"
force-cancel  = "cancelled"

[[outcome.failed.op]]
do  = "update"
set = { state = "'failed'", finished_at = "coalesce(finished_at, :now)", note = ":reason" }

[[outcome.cancelled.op]]
do  = "update"
set = { state = "'cancelled'", finished_at = "coalesce(finished_at, :now)" }

[[outcome.requeued.op]]
do  = "update"
set = { state = "'queued'", node = "NULL", started_at = "NULL", finished_at = "NULL" }

[[derived]]
table = "nodes"
match = { name = "worker" }

[derived.set]
used = "(SELECT coalesce(sum(t.cost), 0) FROM {tasks} t WHERE t.state = 'running' AND t.node = r.name)"
)TOML";

/// Clock: k_queue_now (noon). Node "live" beat 30 s ago and holds 1 (10 min) and 2 (a contradiction). "gone" beat 3 h
/// ago and holds 3 (2 h, cost 3), 4 (2 min, cost 4) and 5, which contradicts itself (cost 5). "stranger" has no row and
/// holds 6 (2 h) and 7 (2 min). "idle" is dead and holds nothing, but its account says 9. 8 is queued, 9 is over, 10
/// runs on no node, 11 is over and was on "past", a node that is gone altogether.
inline const std::string k_crew_sql =
    "CREATE TABLE nodes (name text PRIMARY KEY, beat_at text, used integer);"
    "CREATE TABLE tasks (id integer PRIMARY KEY, state text, kind text, created_at text, started_at text, finished_at "
    "text, lease_until text, node text, cost integer, note text);"
    "INSERT INTO nodes VALUES ('live', '2025-06-01 11:59:30', 3), ('gone', '2025-06-01 09:00:00', 12), ('idle', "
    "'2025-06-01 08:00:00', 9);"
    "INSERT INTO tasks (id, state, kind, created_at, started_at, finished_at, node, cost) VALUES "
    "(1, 'running', 'build', '2025-06-01 11:49:00', '2025-06-01 11:50:00', NULL, 'live', 1),"
    "(2, 'running', 'build', '2025-06-01 10:00:00', '2025-06-01 10:00:00', '2025-06-01 10:30:00', 'live', 2),"
    "(3, 'running', 'build', '2025-06-01 09:59:00', '2025-06-01 10:00:00', NULL, 'gone', 3),"
    "(4, 'running', 'test', '2025-06-01 11:57:00', '2025-06-01 11:58:00', NULL, 'gone', 4),"
    "(5, 'running', 'test', '2025-06-01 10:00:00', '2025-06-01 10:00:00', '2025-06-01 10:30:00', 'gone', 5),"
    "(6, 'running', 'test', '2025-06-01 09:59:00', '2025-06-01 10:00:00', NULL, 'stranger', 1),"
    "(7, 'running', 'test', '2025-06-01 11:57:00', '2025-06-01 11:58:00', NULL, 'stranger', 1),"
    "(8, 'queued', 'build', '2025-06-01 11:59:30', NULL, NULL, NULL, 1),"
    "(9, 'failed', 'build', '2025-06-01 09:00:00', '2025-06-01 09:00:00', '2025-06-01 09:30:00', 'gone', 1),"
    "(10, 'running', NULL, '2025-06-01 11:54:00', '2025-06-01 11:55:00', NULL, NULL, 1),"
    "(11, 'failed', 'build', '2025-06-01 09:00:00', '2025-06-01 09:00:00', '2025-06-01 09:30:00', 'past', 1);";

inline RepairScene crew_scene(Engine engine, const std::string& more = {}) {
  return {temp_database(engine, k_crew_sql + more), parse_profile(k_crew_profile, "crew.toml"), k_queue_now};
}

}  // namespace taskctl::test
