#include "engine/planner.hpp"

#include <algorithm>
#include <set>

#include "engine/lister.hpp"
#include "engine/repair_planner.hpp"

namespace taskctl {

namespace {

/// In the caller's transaction. What is found goes to the planner at once: it spools the findings itself.
void add_listing(RepairPlanner& planner, Plan& plan, TaskStore& store, const Selector& selector) {
  const JudgeContext context = read_judge_context(store, plan.policy, plan.given_now);
  const ListRequest request{.selector = selector, .policy = plan.policy, .now = plan.given_now};
  ScanResult scan = scan_tasks(store, context, request,
                               [&planner](ListItem&& item, const LivenessVerdict*) { planner.add(item.finding); });
  if (plan.now == Instant{}) {
    plan.now = context.now;
    plan.warnings = std::move(scan.warnings);
  }
}

Plan start_reconcile(TaskStore& store, const ReconcileRequest& request) {
  Plan plan = start_plan(store, "reconcile");
  plan.given_now = request.now;
  plan.selector = request.selector;
  plan.policy = request.policy;
  plan.reason = request.reason;
  return plan;
}

Plan replan_reconcile(TaskStore& store, const Plan& plan, const std::vector<std::string>& tasks) {
  Plan again = start_reconcile(
      store,
      {.selector = plan.selector, .policy = plan.policy, .now = plan.given_now, .reason = plan.reason, .limit = {}});
  Transaction transaction{store.connection(), Access::read};
  RepairPlanner planner{store, again};
  for (std::size_t begin = 0; begin < tasks.size(); begin += k_planner_chunk) {
    const auto first = tasks.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto last = tasks.begin() + static_cast<std::ptrdiff_t>(std::min(tasks.size(), begin + k_planner_chunk));
    again.selector.ids.assign(first, last);  // the other filters still count: the task may have changed hands
    add_listing(planner, again, store, again.selector);
  }
  again.selector.ids = tasks;
  planner.finish(std::nullopt);
  transaction.commit();
  leave_out_settled(again, tasks);
  return again;
}

/// Those of the ids that are derived rows of the plan.
std::vector<std::string> rows_among(const Plan& plan, const std::vector<std::string>& ids) {
  const std::set<std::string> wanted{ids.begin(), ids.end()};
  std::vector<std::string> rows;
  plan.for_each([&](std::size_t, const PlanUnit& unit) {
    if (unit.finding && unit.finding->table && wanted.count(unit.task) > 0) {
      rows.push_back(unit.task);
    }
  });
  return rows;
}

Plan replan_cancel(TaskStore& store, const Plan& plan, const std::vector<std::string>& tasks) {
  CancelRequest request{.force = plan.force, .policy = plan.policy, .now = plan.given_now, .reason = plan.reason};
  request.rows = rows_among(plan, tasks);
  if (plan.is_selected) {
    // The filters still count: a task may have changed hands.
    request.selector = plan.selector;
    request.selector->ids = tasks;
    Plan again = plan_cancel(store, request);
    leave_out_settled(again, tasks);
    return again;
  }
  for (const std::string& task : tasks) {
    if (std::ranges::find(request.rows, task) != request.rows.end()) {
      continue;
    }
    request.keys.push_back(TaskKey::from_text(task, store.profile().key.size()));
  }
  return plan_cancel(store, request);
}

Plan replan_release(TaskStore& store, const Plan& plan, const std::vector<std::string>& tasks) {
  Plan again = plan_release(store, {.worker = plan.selector.workers.front(),
                                    .force = plan.force,
                                    .policy = plan.policy,
                                    .now = plan.given_now,
                                    .reason = plan.reason,
                                    .ids = tasks})
                   .plan;
  leave_out_settled(again, tasks);
  return again;
}

/// Nothing about an undo depends on what was found: the same units again.
Plan repeat_undo(TaskStore& store, const Plan& plan, const std::vector<std::string>& tasks) {
  Plan again = start_plan(store, plan.command);
  again.now = plan.now;
  again.selector.ids = tasks;
  again.reason = plan.reason;
  again.undoes = plan.undoes;
  const std::set<std::string> wanted{tasks.begin(), tasks.end()};
  plan.for_each([&](std::size_t, const PlanUnit& unit) {
    if (wanted.count(unit.task) > 0) {
      again.append(unit);
    }
  });
  return again;
}

Plan read_reconcile_plan(TaskStore& store, const ReconcileRequest& request) {
  Plan plan = start_reconcile(store, request);
  Transaction transaction{store.connection(), Access::read};  // one snapshot for findings and rows
  RepairPlanner planner{store, plan};
  planner.leave(request.applied);
  add_listing(planner, plan, store, request.selector);
  planner.finish(request.limit);
  end_plan(plan, store);
  transaction.commit();
  return plan;
}

}  // namespace

Plan plan_reconcile(TaskStore& store, const ReconcileRequest& request) {
  return once_more_when_busy([&] { return read_reconcile_plan(store, request); });
}

Plan replan(TaskStore& store, const Plan& plan, const std::vector<std::string>& tasks) {
  if (plan.command == "undo") {
    return repeat_undo(store, plan, tasks);
  }
  if (plan.command == "release-worker") {
    return replan_release(store, plan, tasks);
  }
  return plan.command == "cancel" ? replan_cancel(store, plan, tasks) : replan_reconcile(store, plan, tasks);
}

}  // namespace taskctl
