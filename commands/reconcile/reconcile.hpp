#pragma once

#include <optional>
#include <string>

#include "cli/context.hpp"
#include "cli/options.hpp"
#include "commands/shared/plan_options.hpp"

namespace taskctl {

struct ReconcileOptions {
  TargetOptions target;
  AgeOptions age;
  SelectorOptions selector;
  ChangeOptions change;
  PlanOptions plan;
  OutputOptions output;
  std::optional<std::size_t> limit;
  std::optional<Outcome> outcome, overdue, dead;
  bool no_evidence = false;
  bool exit_code = false;
};

void declare_reconcile(CLI::App& app, ReconcileOptions& options);
int run_reconcile(Context& context, const ReconcileOptions& options);

}  // namespace taskctl
