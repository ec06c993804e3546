#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/environment.hpp"
#include "base/time.hpp"
#include "model/change.hpp"

namespace taskctl {

/// started → done | stopped | failed; a killed run stays `started` and is a prefix of whole batches. `pruning`: some of
/// its changes have left the journal and the rest will, so that it cannot be undone.
enum class RunState { started, done, stopped, failed, pruning };
[[nodiscard]] std::string_view to_string(RunState state);
[[nodiscard]] std::optional<RunState> parse_run_state(std::string_view text);

/// One invocation that wrote.
struct RunRecord {
  std::string id;       ///< sorts by time: 20251119T165456-3fa9c1
  std::string command;  ///< reconcile, cancel, undo
  RunState state = RunState::started;
  Instant started{};  ///< the database's clock
  std::optional<Instant> finished;
  Author author;
  std::string reason;     ///< --reason; may be empty
  std::string arguments;  ///< argv without secrets, shell-quoted
  std::string version;    ///< of taskctl
  std::string profile;    ///< name
  std::string profile_hash;
  std::string plan_hash;
  std::string plan_nonce;                ///< unique in the journal: a plan is applied once
  std::string undoes;                    ///< id of the run that this one takes back; empty otherwise
  std::string backup;                    ///< path of the backup made before; may be empty
  std::optional<Instant> detection_now;  ///< --now, when given
  std::int64_t applied = 0, moved_on = 0, conflicts = 0, busy = 0, failed = 0;
  std::string request;  ///< the plan without its tasks, encoded; written, but read by Journal::request() only
};

/// One applied change, with the row as re-read after the write.
struct JournalEntry {
  std::int64_t sequence = 0;  ///< within the run, from 1
  std::string task;
  std::string rule;  ///< code; empty for an undo
  std::string outcome;
  Change change;
  std::vector<SideEffect> side_effects;
  Instant applied_at{};
};

}  // namespace taskctl
