#include "commands/reconcile/reconcile.hpp"

#include "base/error.hpp"
#include "commands/shared/change_flow.hpp"
#include "commands/shared/outcome_option.hpp"
#include "commands/shared/saved_plan.hpp"
#include "engine/named_ids.hpp"
#include "engine/observer.hpp"
#include "engine/planner.hpp"

namespace taskctl {

namespace {

/// What is stuck and cannot be reached, or is not there at all, was not repaired, and must not look as if it were.
ExitCode reconcile_verdict(const Plan& plan, const FlowResult& result) {
  const bool out_of_reach = plan.left_out_counts.count(LeftOut::Why::unaddressable) > 0 ||
                            plan.left_out_counts.count(LeftOut::Why::unknown) > 0;
  return out_of_reach ? ExitCode::partial : default_verdict(result.applied);
}

/// A run that may write also notes who is active, where the profile counts from that. That it could not is no reason to
/// repair nothing.
void note_active_tasks(Context& context, const Session& session, const ReconcileOptions& options) {
  if (!session.sightings || session.now || options.change.dry_run || !options.plan.save.empty()) {
    return;
  }
  try {
    observe_tasks(*session.store, *session.sightings, options.selector.selector);
  } catch (const InterruptedError&) {
    throw;
  } catch (const Error& error) {
    context.streams().warn("which tasks are active now was not noted: " + error.message());
  }
}

}  // namespace

void declare_reconcile(CLI::App& app, ReconcileOptions& options) {
  options.target.declare(app);
  options.target.declare_alive_from(app);
  options.age.declare(app);
  options.selector.declare(app);
  options.change.declare(app, true);
  options.output.declare(app);
  declare_outcome(app, options.outcome);
  declare_rule_outcome(app, "--overdue", "what becomes of overdue tasks when no evidence decides", options.overdue);
  declare_rule_outcome(app, "--dead", "what becomes of dead workers' tasks when no evidence decides", options.dead);
  declare_no_evidence(app, options.no_evidence);
  add_parsed(app, "--limit", "repair at most this many tasks, the oldest first", [&options](const std::string& text) {
    options.limit = parse_count(text, "--limit");
  })->type_name("N");
  app.add_flag("--exit-code", options.exit_code)->description("with --dry-run: end with 4 when the plan is not empty");
  options.plan.declare(app);
}

int run_reconcile(Context& context, const ReconcileOptions& options) {
  if (!options.plan.file.empty()) {
    const OpenPlan open = open_saved_plan(context, "reconcile", options.plan, options.target);
    return run_change_flow(context, *open.session, open.saved.plan,
                           flow_request(options, &open.saved.info, reconcile_verdict));
  }
  const std::unique_ptr<Session> session = context.open(options.target, &options.age, Access::read, true);
  require_outcome(session->profile, options.outcome);
  require_outcome(session->profile, options.overdue, "--overdue");
  require_outcome(session->profile, options.dead, "--dead");
  session->policy.outcome = options.outcome;
  session->policy.overdue = options.overdue;
  session->policy.dead = options.dead;
  session->policy.evidence = !options.no_evidence;
  note_active_tasks(context, *session, options);
  Plan plan = plan_reconcile(*session->store, {.selector = options.selector.selector,
                                               .policy = session->policy,
                                               .now = session->now,
                                               .reason = options.change.reason,
                                               .limit = options.limit});
  account_for_ids(plan, *session->store);
  if (plan.empty() && plan.left_out.empty() && !plan.selector.empty()) {
    plan.warnings.push_back("no stuck task fits: " + plan.selector.describe());
  }
  return run_change_flow(context, *session, plan, flow_request(options, nullptr, reconcile_verdict));
}

}  // namespace taskctl
