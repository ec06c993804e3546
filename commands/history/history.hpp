#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/context.hpp"
#include "cli/options.hpp"

namespace taskctl {

struct HistoryOptions {
  enum class Action { list, show, export_runs, prune, attempts };
  Action action = Action::list;
  TargetOptions target;
  OutputOptions output;
  ChangeOptions change;  ///< of prune
  std::optional<std::size_t> limit;
  std::vector<std::string> ids;  ///< --id: what happened to these tasks instead of the runs
  std::string run;               ///< of `history show RUN` and `history export RUN`
  std::optional<Duration> older_than;
};

void declare_history(CLI::App& app, HistoryOptions& options);
/// 0; 3 when the run that was named is not there, or pruning was stopped.
int run_history(Context& context, const HistoryOptions& options);

}  // namespace taskctl
