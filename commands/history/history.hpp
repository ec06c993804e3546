#pragma once

#include <optional>
#include <string>

#include "cli/context.hpp"
#include "cli/options.hpp"

namespace taskctl {

struct HistoryOptions {
  TargetOptions target;
  OutputOptions output;
  std::optional<std::size_t> limit;
  std::string run;  ///< of `history show RUN`; empty: the list
};

void declare_history(CLI::App& app, HistoryOptions& options);
int run_history(Context& context, const HistoryOptions& options);

}  // namespace taskctl
