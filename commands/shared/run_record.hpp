#pragma once

#include <string>

#include "cli/context.hpp"
#include "model/run.hpp"

namespace taskctl {

/// The journal's row for an invocation that is about to write: a new id, who, when, with which arguments and profile.
RunRecord new_run_record(Context& context, Session& session, std::string command, std::string reason);

}  // namespace taskctl
