#include "commands/release-worker/release_worker.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"
#include "commands/shared/change_flow.hpp"
#include "commands/shared/outcome_option.hpp"
#include "commands/shared/plan_view.hpp"
#include "commands/shared/saved_plan.hpp"
#include "engine/planner.hpp"
#include "engine/workers.hpp"

namespace taskctl {

namespace {

/// At most three names that may have been meant: nearly the same, or with the text in them.
std::vector<std::string> near_names(const std::string& wanted, std::vector<std::string> names) {
  constexpr std::size_t k_most = 3;
  std::vector<std::string> near;
  for (std::string name = nearest(wanted, names); !name.empty() && near.size() < k_most;
       name = nearest(wanted, names)) {
    std::erase(names, name);
    near.push_back(std::move(name));
  }
  for (const std::string& name : names) {
    if (near.size() < k_most && !wanted.empty() && name.find(wanted) != std::string::npos) {
      near.push_back(name);
    }
  }
  return near;
}

[[noreturn]] void throw_unknown(Session& session, const std::string& worker) {
  const WorkerSurvey survey =
      survey_workers(*session.store, {.names = {}, .policy = session.policy, .now = session.now});
  std::vector<std::string> names;
  for (const auto& [name, info] : survey.workers) {
    names.push_back(name);
  }
  std::vector<std::string> near;
  for (const std::string& name : near_names(worker, names)) {
    near.push_back("'" + printable(name) + "'");
  }
  throw Error{ExitCode::partial, fmt::format("no worker has the name '{}'", printable(worker)),
              (near.empty() ? std::string{} : fmt::format("Did you mean {}? ", join(near, ", "))) +
                  "Names are matched exactly; `taskctl list-workers` prints them."};
}

[[noreturn]] void throw_alive(const std::string& worker, const LivenessVerdict& liveness) {
  throw Error{ExitCode::refused,
              fmt::format("worker '{}' is alive ({}); nothing was changed", printable(worker),
                          liveness_words(liveness, Liveness::alive)),
              "Stop the worker, or wait until its heartbeat is overdue. One task of a living worker is ended by "
              "`taskctl cancel --force ID --accept-hazard alive`."};
}

[[noreturn]] void throw_unsure(const std::string& worker, const LivenessVerdict& liveness) {
  const std::string why =
      liveness.liveness == Liveness::dead
          ? "looks dead, but only a source that is suspect says so (" + liveness_words(liveness, Liveness::dead) + ")"
          : "may be alive: nothing says whether it is";
  throw Error{ExitCode::refused, fmt::format("worker '{}' {}; nothing was changed", printable(worker), why),
              "Make sure that it does not run any more, then add --force."};
}

/// Whether the command may go on; throws when it may not.
void require_dead(Session& session, const std::string& worker, const ReleasePlan& release, bool force) {
  if (!release.known) {
    throw_unknown(session, worker);
  }
  const LivenessVerdict& liveness = release.liveness;
  if (liveness.liveness == Liveness::alive) {
    throw_alive(worker, liveness);
  }
  if (!force && (liveness.liveness == Liveness::unknown || liveness.suspect)) {
    throw_unsure(worker, liveness);
  }
}

ExitCode release_verdict(const Plan& plan, const FlowResult& result) {
  bool planned_all = true;
  bool refused = false;
  for (const auto& [why, count] : plan.left_out_counts) {
    planned_all = planned_all && why == LeftOut::Why::nothing_to_do;
    refused = refused || why == LeftOut::Why::hazard || why == LeftOut::Why::needs_force;
  }
  if (result.dry_run || plan.empty()) {
    return planned_all ? ExitCode::ok : plan.empty() && refused ? ExitCode::refused : ExitCode::partial;
  }
  for (const UnitReport& report : result.applied.reports) {
    refused = refused || report.result == UnitResult::refused;
  }
  if (result.applied.run.applied == 0 && refused) {
    return ExitCode::refused;
  }
  const ExitCode applied = default_verdict(result.applied);
  return applied == ExitCode::ok && !planned_all ? ExitCode::partial : applied;
}

}  // namespace

void declare_release_worker(CLI::App& app, ReleaseWorkerOptions& options) {
  app.add_option("WORKER", options.worker)->description("the worker, exactly as list-workers prints it");
  app.add_flag("--force", options.force)
      ->description("it is dead although nothing that can be trusted says so (never one that is known to be alive)");
  options.target.declare(app);
  options.target.declare_alive_from(app);
  options.change.declare(app, true);
  options.output.declare(app);
  declare_outcome(app, options.outcome);
  declare_no_evidence(app, options.no_evidence);
  app.add_flag("--exit-code", options.exit_code)->description("with --dry-run: end with 4 when the plan is not empty");
  options.plan.declare(app);
}

int run_release_worker(Context& context, const ReleaseWorkerOptions& options) {
  if (!options.plan.file.empty()) {
    const OpenPlan open = open_saved_plan(context, "release-worker", options.plan, options.target);
    return run_change_flow(context, *open.session, open.saved.plan,
                           flow_request(options, &open.saved.info, release_verdict));
  }
  if (options.worker.empty()) {
    throw Error{ExitCode::usage, "no worker is named", "`taskctl list-workers` prints their names."};
  }
  const std::unique_ptr<Session> session = context.open(options.target, nullptr, Access::read, true);
  require_outcome(session->profile, options.outcome);
  session->policy.outcome = options.outcome;
  session->policy.evidence = !options.no_evidence;
  const ReleasePlan release = plan_release(*session->store, {.worker = options.worker,
                                                             .force = options.force,
                                                             .policy = session->policy,
                                                             .now = session->now,
                                                             .reason = options.change.reason,
                                                             .ids = {}});
  require_dead(*session, options.worker, release, options.force);
  context.streams().talk(fmt::format("worker '{}' is dead ({}); it holds {}", printable(options.worker),
                                     liveness_words(release.liveness, Liveness::dead),
                                     counted(release.held, "active task")));
  return run_change_flow(context, *session, release.plan, flow_request(options, nullptr, release_verdict));
}

}  // namespace taskctl
