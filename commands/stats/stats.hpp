#pragma once

#include "cli/context.hpp"
#include "cli/options.hpp"

namespace taskctl {

struct StatsOptions {
  TargetOptions target;
  AgeOptions age;
  OutputOptions output;
  bool no_evidence = false;
};

void declare_stats(CLI::App& app, StatsOptions& options);
/// 0, or an error: what could not be read is never shown as a zero.
int run_stats(Context& context, const StatsOptions& options);

}  // namespace taskctl
