#pragma once

#include "commands/history/history.hpp"

namespace taskctl {

/// Removes runs older than --older-than from the journal: preview, confirmation, run lock, short transactions. The
/// pruning itself is a run of its own. Returns 0, or 128 + n when a signal cut it short.
int prune_history(Context& context, const HistoryOptions& options);

}  // namespace taskctl
