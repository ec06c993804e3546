#include "engine/named_ids.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "engine/lister.hpp"
#include "engine/row_rules.hpp"

namespace taskctl {

namespace {

/// Why a task that exists is in no plan.
std::string why_not_planned(const TaskReport& report) {
  const Judgement& judgement = report.judgement;
  const std::string status = "its status is '" + report.facts.task.status.value_or("NULL") + "'";
  if (judgement.finding) {
    return status + "; '" + std::string{to_string(judgement.finding->rule)} + "', which the filters leave out";
  }
  return judgement.fine_because.empty() ? status : status + "; " + judgement.fine_because;
}

}  // namespace

std::vector<std::string> unknown_ids(TaskStore& store, const std::vector<std::string>& ids) {
  const std::vector<std::string> tasks = task_ids(store.profile(), ids);
  FactsRequest wanted;
  wanted.rows = FactsRequest::Rows::by_key;
  for (const std::string& id : tasks) {
    wanted.keys.push_back(TaskKey::from_text(id, store.profile().key.size()));
  }
  std::set<std::string> found;
  if (!wanted.keys.empty()) {
    store.read_facts(wanted, [&found](TaskFacts&& facts) { found.insert(facts.task.key.text()); });
  }
  std::vector<std::string> unknown;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (found.insert(wanted.keys[i].text()).second) {
      unknown.push_back(tasks[i]);
    }
  }
  return unknown;
}

void account_for_ids(Plan& plan, TaskStore& store) {
  if (plan.selector.ids.empty()) {
    return;
  }
  std::set<std::string> seen;
  plan.for_each([&seen](std::size_t, const PlanUnit& unit) { seen.insert(unit.task); });
  for (const LeftOut& left : plan.left_out) {
    seen.insert(left.task);
  }
  for (const std::string& id : task_ids(store.profile(), plan.selector.ids)) {
    const TaskKey key = TaskKey::from_text(id, store.profile().key.size());
    if (!seen.insert(key.text()).second) {
      continue;
    }
    const std::optional<TaskReport> report = inspect_task(store, key, plan.policy, plan.given_now);
    plan.leave_out({.task = key.text(),
                    .why = report ? LeftOut::Why::nothing_to_do : LeftOut::Why::unknown,
                    .detail = report ? why_not_planned(*report) : "no such task",
                    .finding = {}});
  }
}

}  // namespace taskctl
