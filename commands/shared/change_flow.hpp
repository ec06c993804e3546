#pragma once

#include <functional>
#include <string>

#include "base/error.hpp"
#include "cli/context.hpp"
#include "cli/options.hpp"
#include "commands/shared/plan_options.hpp"
#include "engine/applier.hpp"
#include "engine/planner.hpp"
#include "view/format.hpp"
#include "view/plan_file.hpp"

namespace taskctl {

/// What became of a plan, for commands that have exit rules of their own (cancel).
struct FlowResult {
  ApplyResult applied;
  bool dry_run = false;
};

/// partial when something was not done, locked when nothing was because others held the rows, else ok.
ExitCode default_verdict(const ApplyResult& applied);

struct FlowRequest {
  const TargetOptions& target;
  const ChangeOptions& change;
  const PlanOptions& plan;
  const PlanFileInfo* saved = nullptr;  ///< the plan comes from a file: it is applied as it is, or not at all
  const RunRecord* resumes = nullptr;   ///< the run that goes on: the same id, its counts and its backup
  OutputFormat format = OutputFormat::table;
  bool exit_code = false;  ///< --exit-code: 4 when the plan is not empty
  /// How the command ends, given what happened; default_verdict() when empty.
  std::function<ExitCode(const Plan&, const FlowResult&)> judge;
  std::function<void(Session&)> afterwards;  ///< with the connection that wrote, before the result is printed
};

/// What a command that plans by itself or takes a saved plan asks for.
template <typename Options, typename Judge>
FlowRequest flow_request(const Options& options, const PlanFileInfo* saved, const Judge& judge) {
  FlowRequest request{.target = options.target,
                      .change = options.change,
                      .plan = options.plan,
                      .saved = saved,
                      .format = options.output.format,
                      .judge = judge};
  if constexpr (requires { options.exit_code; }) {
    request.exit_code = options.exit_code;
  }
  return request;
}

/// The one way from a plan to a changed database, for reconcile, cancel and undo: show the plan → (dry run ends) →
/// limits and confirmation → banner → lock → backup → journal → guarded batches → one re-plan for conflicts and busy
/// rows → result. No transaction is open while a person reads or a backup runs. An empty plan makes no backup,
/// no journal and no lock. `session` is the one that planned: its connection is closed before the writing one opens.
int run_change_flow(Context& context, Session& session, const Plan& plan, const FlowRequest& request);

}  // namespace taskctl
