#include "commands/cancel/cancel.hpp"

#include "base/error.hpp"
#include "cli/app.hpp"
#include "commands/shared/change_flow.hpp"
#include "commands/shared/outcome_option.hpp"
#include "engine/planner.hpp"

namespace taskctl {

namespace {

std::vector<std::string> read_ids(Streams& streams, const std::vector<std::string>& given) {
  std::vector<std::string> ids;
  for (const std::string& argument : given) {
    const std::string id = unshield(argument);
    if (id != "-") {
      ids.push_back(id);
      continue;
    }
    while (const std::optional<std::string> line = streams.read_line()) {
      if (!line->empty()) {
        ids.push_back(*line);
      }
    }
  }
  if (ids.empty()) {
    throw Error{ExitCode::usage, "no ids on standard input", "Give ids as arguments, or one a line after '-'."};
  }
  return ids;
}

/// Is a task that the plan leaves alone where the caller wanted it?
bool is_satisfied(LeftOut::Why why) {
  return why == LeftOut::Why::nothing_to_do || why == LeftOut::Why::already_cancelled;
}

bool is_refusal(LeftOut::Why why) {
  return why == LeftOut::Why::needs_force || why == LeftOut::Why::hazard || why == LeftOut::Why::not_repairable;
}

ExitCode verdict(const Plan& plan, const FlowResult& result) {
  // The counts, because of very many tasks not every one is kept.
  bool planned_all = true, any_satisfied = false, refused = false;
  for (const auto& [why, count] : plan.left_out_counts) {
    planned_all = planned_all && is_satisfied(why);
    any_satisfied = any_satisfied || is_satisfied(why);
    refused = refused || is_refusal(why);
  }
  if (result.dry_run) {
    // A preview says what would happen: as if everything that is planned were applied.
    return planned_all     ? ExitCode::ok
           : !plan.empty() ? ExitCode::partial
           : refused       ? ExitCode::refused
                           : ExitCode::failed;
  }
  const RunRecord& run = result.applied.run;
  const auto ended = static_cast<std::size_t>(run.applied);
  for (const UnitReport& report : result.applied.reports) {
    refused = refused || report.result == UnitResult::refused;
  }
  if (planned_all && ended == plan.size()) {
    return ExitCode::ok;
  }
  if (ended > 0 || any_satisfied) {
    return ExitCode::partial;
  }
  return refused ? ExitCode::refused : ExitCode::failed;
}

}  // namespace

void declare_cancel(CLI::App& app, CancelOptions& options) {
  app.add_option("ID", options.ids)
      ->description("tasks to end, exactly as list-stuck prints them; '-' reads one a line")
      ->required();
  app.add_flag("--force", options.force)->description("end running tasks too (their workers are not told)");
  options.target.declare(app);
  options.change.declare(app, true);
  options.output.declare(app);
  declare_outcome(app, options.outcome);
}

int run_cancel(Context& context, const CancelOptions& options) {
  const std::vector<std::string> ids = read_ids(context.streams(), options.ids);
  const std::unique_ptr<Session> session = context.open(options.target, nullptr, Access::read, true);
  require_outcome(session->profile, options.outcome);
  session->policy.outcome = options.outcome;
  CancelRequest request{
      .force = options.force, .policy = session->policy, .now = session->now, .reason = options.change.reason};
  for (const std::string& id : ids) {
    request.keys.push_back(TaskKey::from_text(id, session->profile.key.size()));
  }
  const Plan plan = plan_cancel(*session->store, request);
  return run_change_flow(context, *session, plan,
                         {.target = options.target,
                          .change = options.change,
                          .format = options.output.format,
                          .judge = [&plan](const FlowResult& result) { return verdict(plan, result); }});
}

}  // namespace taskctl
