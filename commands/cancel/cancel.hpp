#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/context.hpp"
#include "cli/options.hpp"
#include "commands/shared/plan_options.hpp"

namespace taskctl {

struct CancelOptions {
  TargetOptions target;
  ChangeOptions change;
  PlanOptions plan;
  OutputOptions output;
  SelectorOptions selector;  ///< instead of ids: --worker --kind --queue --user --status
  AgeOptions age;
  std::optional<Outcome> outcome;
  std::vector<std::string> ids;  ///< "-": one a line on standard input
  bool force = false;
};

void declare_cancel(CLI::App& app, CancelOptions& options);
/// All ended or already cancelled: 0; some not: 3; nothing changed and any refused: 5; otherwise 1.
int run_cancel(Context& context, const CancelOptions& options);

}  // namespace taskctl
