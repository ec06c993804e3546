#pragma once

#include <string>
#include <vector>

#include "cli/context.hpp"
#include "cli/options.hpp"
#include "commands/shared/plan_options.hpp"

namespace taskctl {

struct UndoOptions {
  TargetOptions target;
  ChangeOptions change;
  PlanOptions plan;
  OutputOptions output;
  std::string run;
  bool last = false;
  std::vector<std::string> tasks;
};

void declare_undo(CLI::App& app, UndoOptions& options);
int run_undo(Context& context, const UndoOptions& options);

}  // namespace taskctl
