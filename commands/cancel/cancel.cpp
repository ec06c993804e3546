#include "commands/cancel/cancel.hpp"

#include "base/error.hpp"
#include "cli/app.hpp"
#include "commands/shared/change_flow.hpp"
#include "commands/shared/outcome_option.hpp"
#include "commands/shared/saved_plan.hpp"
#include "engine/planner.hpp"
#include "view/id_line.hpp"

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
    while (std::optional<std::string> line = streams.read_line()) {
      if (line->ends_with('\r')) {
        line->pop_back();  // a list that was saved on Windows
      }
      if (!line->empty()) {
        ids.push_back(parse_id_line(*line));
      }
    }
  }
  if (ids.empty()) {
    throw Error{ExitCode::usage, "no ids on standard input", "Give ids as arguments, or one a line after '-'."};
  }
  return ids;
}

/// Ids, or at least one filter: nobody ends every task by leaving something out.
void require_one_way(const CancelOptions& options) {
  const bool filters = !options.selector.selector.empty() || options.age.max_age;
  if (options.ids.empty() && !filters) {
    throw Error{ExitCode::usage, "no task is named",
                "Give ids, '-' to read them one a line, or at least one of --worker --kind --queue --user --status "
                "--max-age."};
  }
  if (!options.ids.empty() && filters) {
    throw Error{ExitCode::usage, "ids and filters exclude each other",
                "Name the tasks by id, or select them by --worker --kind --queue --user --status --max-age."};
  }
}

/// Is a task that the plan leaves alone where the caller wanted it?
bool is_satisfied(LeftOut::Why why) {
  return why == LeftOut::Why::nothing_to_do || why == LeftOut::Why::already_cancelled;
}

bool is_refusal(LeftOut::Why why) {
  return why == LeftOut::Why::needs_force || why == LeftOut::Why::hazard || why == LeftOut::Why::not_repairable;
}

ExitCode cancel_verdict(const Plan& plan, const FlowResult& result) {
  // The counts, because of very many tasks not every one is kept.
  bool planned_all = true, refused = false;
  for (const auto& [why, count] : plan.left_out_counts) {
    planned_all = planned_all && is_satisfied(why);
    refused = refused || is_refusal(why);
  }
  if (result.dry_run) {
    // A preview says what would happen: as if everything that is planned were applied.
    return planned_all     ? ExitCode::ok
           : !plan.empty() ? ExitCode::partial
           : refused       ? ExitCode::refused
                           : ExitCode::partial;
  }
  const RunRecord& run = result.applied.run;
  const auto ended = static_cast<std::size_t>(run.applied);
  for (const UnitReport& report : result.applied.reports) {
    refused = refused || report.result == UnitResult::refused;
  }
  if (planned_all && ended == plan.size()) {
    return ExitCode::ok;
  }
  if (ended > 0) {
    return ExitCode::partial;
  }
  // Nothing was changed. That a guard said no weighs more than that another task was cancelled before.
  const bool locked = default_verdict(result.applied) == ExitCode::locked;
  return refused ? ExitCode::refused : locked ? ExitCode::locked : ExitCode::partial;
}

}  // namespace

void declare_cancel(CLI::App& app, CancelOptions& options) {
  app.add_option("ID", options.ids)
      ->description("tasks to end, exactly as list-stuck prints them; '-' reads one a line");
  app.add_flag("--force", options.force)->description("end running tasks too (their workers are not told)");
  options.target.declare(app);
  options.target.declare_alive_from(app);
  options.change.declare(app, true);
  options.output.declare(app);
  options.selector.declare_attributes(app);
  options.age.declare(app, "only tasks that are older than this");
  declare_outcome(app, options.outcome);
  options.plan.declare(app);
}

int run_cancel(Context& context, const CancelOptions& options) {
  if (!options.plan.file.empty()) {
    const OpenPlan open = open_saved_plan(context, "cancel", options.plan, options.target);
    return run_change_flow(context, *open.session, open.saved.plan,
                           flow_request(options, &open.saved.info, cancel_verdict));
  }
  require_one_way(options);
  const std::vector<std::string> ids =
      options.ids.empty() ? std::vector<std::string>{} : read_ids(context.streams(), options.ids);
  const std::unique_ptr<Session> session = context.open(options.target, &options.age, Access::read, true);
  require_outcome(session->profile, options.outcome);
  session->policy.outcome = options.outcome;
  CancelRequest request{
      .force = options.force, .policy = session->policy, .now = session->now, .reason = options.change.reason};
  if (ids.empty()) {
    request.selector = options.selector.selector;
  }
  for (const std::string& id : ids) {
    request.keys.push_back(TaskKey::from_text(id, session->profile.key.size()));
  }
  Plan plan = plan_cancel(*session->store, request);
  if (ids.empty() && plan.empty() && plan.left_out_counts.empty()) {
    plan.warnings.push_back("no unfinished task fits: " + options.selector.selector.describe());
  }
  return run_change_flow(context, *session, plan, flow_request(options, nullptr, cancel_verdict));
}

}  // namespace taskctl
