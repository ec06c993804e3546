#include <map>

#include "base/error.hpp"
#include "engine/planner.hpp"

namespace taskctl {

namespace {

CancelRequest cancel_request(const Plan& plan, const Profile& profile) {
  CancelRequest request{.keys = {},
                        .selector = {},
                        .rows = {},
                        .force = plan.force,
                        .policy = plan.policy,
                        .now = plan.given_now,
                        .reason = plan.reason};
  if (plan.is_selected) {
    request.selector = plan.selector;
    return request;
  }
  for (const std::string& id : plan.selector.ids) {
    request.keys.push_back(TaskKey::from_text(id, profile.key.size()));
  }
  return request;
}

}  // namespace

Plan plan_rest(TaskStore& store, Journal& journal, const Plan& request, const std::string& run,
               std::optional<std::size_t> left) {
  if (request.command == "undo") {
    return plan_undo(store, journal, {.run = request.undoes, .tasks = request.selector.ids});
  }
  if (request.command == "cancel") {
    return plan_cancel(store, cancel_request(request, store.profile()));
  }
  if (request.command == "release-worker") {
    return plan_release(store, {.worker = request.selector.workers.front(),
                                .force = request.force,
                                .policy = request.policy,
                                .now = request.given_now,
                                .reason = request.reason,
                                .ids = {}})
        .plan;
  }
  return plan_reconcile(store, {.selector = request.selector,
                                .policy = request.policy,
                                .now = request.given_now,
                                .reason = request.reason,
                                .limit = left,
                                .applied = journal.applied_tasks(run)});
}

Plan rest_of(const Plan& plan, const std::set<std::string>& applied) {
  Plan rest;
  static_cast<PlanHead&>(rest) = plan;
  std::map<std::size_t, std::size_t> kept;  // position in the plan → in the rest
  plan.for_each([&](std::size_t index, const PlanUnit& unit) {
    if (applied.contains(unit.task)) {
      return;
    }
    PlanUnit copy = unit;
    copy.depends_on.clear();
    for (const std::size_t dependency : unit.depends_on) {
      if (const auto at = kept.find(dependency); at != kept.end()) {
        copy.depends_on.push_back(at->second);
      }
    }
    kept.emplace(index, rest.size());
    rest.append(copy);
  });
  return rest;
}

}  // namespace taskctl
