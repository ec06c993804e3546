#pragma once

#include <optional>
#include <string>

#include "cli/context.hpp"
#include "cli/options.hpp"
#include "commands/shared/plan_options.hpp"

namespace taskctl {

struct ReleaseWorkerOptions {
  TargetOptions target;
  ChangeOptions change;
  PlanOptions plan;
  OutputOptions output;
  std::optional<Outcome> outcome;
  std::string worker;
  bool force = false;
  bool no_evidence = false;
  bool exit_code = false;
};

void declare_release_worker(CLI::App& app, ReleaseWorkerOptions& options);
/// Everything that it held was ended, or it held nothing: 0; some not: 3; refused, as the worker is alive, or may be
/// and
/// --force was not given: 5; an unknown worker: 3.
int run_release_worker(Context& context, const ReleaseWorkerOptions& options);

}  // namespace taskctl
