#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace taskctl::testing {

/// A valid profile that uses every part of the format once; tests change one thing in it.
inline constexpr std::string_view k_sample_profile = R"TOML(format  = 1
name    = "sample"
engines = ["sqlite", "postgres"]
safety  = "full"

[task]
table  = "jobs"
key    = ["id"]
status = "status"
worker = "worker_id"
kind   = { sql = "lower(kind)" }
error  = { table = "runs", match = { job_id = "id" }, value = "error", order_by = "id" }

[task.time]
created   = "created_at"
started   = "started_at"
finished  = "ended_at"
heartbeat = "beat_at"
lease     = "lease_until"

[encoding.utc]
format = "text"
zone   = "UTC"

[encoding.ms]
format = "unix-ms"

[times.jobs]
created_at  = "utc"
started_at  = "utc"
ended_at    = ["utc", "ms"]
beat_at     = "ms"
lease_until = { read = ["ms"], write = "ms" }

[times.workers]
seen_at = "ms"

[times.cancels]
asked_at = "utc"

[[class]]
column    = "status"
queued    = ["new"]
active    = ["busy"]
succeeded = ["ok"]
failed    = ["bad"]
null      = "queued"

[[liveness]]
source = "lease"
grace  = "10s"

[[liveness]]
source  = "heartbeat"
timeout = "1m"

[[liveness]]
source    = "table"
table     = "workers"
key       = "id"
heartbeat = "seen_at"
timeout   = "2m"

[[liveness]]
source  = "sql"
verdict = "CASE WHEN :worker = 'host-1' THEN 'alive' END"

[cancel_request]
table     = "cancels"
match     = { job_id = "id" }
requested = "asked_at"

[[evidence]]
source   = "log"
table    = "log"
match    = { job_id = "id" }
text     = "line"
order_by = "id"
patterns = [["done", "succeeded"], ["ERROR", "failed"]]

[[hazard]]
name    = "billing"
when    = "kind = 'billing'"
message = "may charge twice"

[rules]
enable = ["missing-finished-time"]

[thresholds]
max_age = "2h"

[defaults]
dead = "failed"

[reasons]
dead = "worker is gone"

[[outcome.failed.op]]
do  = "update"
set = { status = "'bad'", ended_at = ":now", note = ":reason" }

[[outcome.failed.op]]
do    = "delete"
table = "cancels"
match = { job_id = "id" }

[[outcome.succeeded.op]]
do  = "update"
set = { status = "'ok'" }

[[rule.missing-finished-time.op]]
do  = "update"
set = { ended_at = ":now" }
)TOML";

/// The sample with the first `from` replaced by `to`; a test whose `from` is not there is wrong.
inline std::string sample_with(std::string_view from, std::string_view to) {
  std::string text{k_sample_profile};
  const std::size_t at = text.find(from);
  if (at == std::string::npos) {
    throw std::logic_error{"the sample profile has no '" + std::string{from} + "'"};
  }
  return text.replace(at, from.size(), to);
}

}  // namespace taskctl::testing
