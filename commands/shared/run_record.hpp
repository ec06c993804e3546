#pragma once

#include <string>

#include "cli/context.hpp"
#include "model/run.hpp"

namespace taskctl {

/// The journal's row for an invocation that is about to write: a new id, who, when, with which arguments and profile.
RunRecord new_run_record(Context& context, Session& session, std::string command, std::string reason);

/// Whether `taskctl resume` takes a run like this one: a repair of which the journal says what it was asked to do.
[[nodiscard]] bool is_resumable(const RunRecord& run);
/// The run that a `taskctl resume` of this row made go on, where its changes stand; empty for every other command.
[[nodiscard]] std::string resumed_run(const RunRecord& run);

}  // namespace taskctl
