#pragma once

#include <string>

#include "cli/context.hpp"
#include "cli/options.hpp"

namespace taskctl {

struct PlanShowOptions {
  TargetOptions target;
  OutputOptions output;
  std::string file;
  bool exit_code = false;
};

void declare_plan(CLI::App& app, PlanShowOptions& options);
/// Opens a database only when --db or --target names one. With --exit-code 4 when the plan can no longer be applied, or
/// when a task is not fresh.
int run_plan(Context& context, const PlanShowOptions& options);

}  // namespace taskctl
