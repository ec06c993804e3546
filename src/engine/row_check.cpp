#include "engine/row_check.hpp"

#include <set>

#include "engine/row_rules.hpp"

namespace taskctl {

namespace {

struct Member {
  std::size_t unit;
  TaskKey key;
};

/// Keys of the rows for which the rule still holds.
std::set<TaskKey> still_wrong(TaskStore& store, const RowRule& rule, const std::vector<Member>& members, bool lock,
                              const Plan& plan, Instant now) {
  RowRuleRequest request{.rule = rule, .lock = lock, .now = now};
  request.keys.emplace();
  for (const Member& member : members) {
    request.keys->push_back(member.key);
  }
  std::set<TaskKey> wrong;
  store.read_rule_rows(request, [&](RuleRow&& row) {
    if (is_settled(rule, row, plan.policy, now)) {
      wrong.insert(std::move(row.key));
    }
  });
  return wrong;
}

}  // namespace

bool is_derived(const Profile& profile, const PlanUnit& unit) {
  return unit.finding && unit.finding->table && rule_of(profile, *unit.finding).derived;
}

std::map<std::size_t, Refusal> check_invariants(TaskStore& store, std::span<const PlanUnit> units, const Plan& plan,
                                                bool lock) {
  std::map<const RowRule*, std::vector<Member>> by_rule;
  for (std::size_t i = 0; i < units.size(); ++i) {
    if (units[i].finding && units[i].finding->table && !is_derived(store.profile(), units[i])) {
      by_rule[&rule_of(store.profile(), *units[i].finding)].push_back({i, units[i].finding->task.key});
    }
  }
  std::map<std::size_t, Refusal> refusals;
  for (auto& [rule, members] : by_rule) {
    const Instant now = plan.given_now ? *plan.given_now : store.connection().now();
    const std::set<TaskKey> wrong = still_wrong(store, *rule, members, lock, plan, now);
    std::erase_if(members, [&](const Member& member) { return wrong.contains(member.key); });
    if (members.empty()) {
      continue;
    }
    const std::set<TaskKey> held = lock ? still_wrong(store, *rule, members, false, plan, now) : std::set<TaskKey>{};
    for (const Member& member : members) {
      refusals.emplace(member.unit, held.contains(member.key)
                                        ? Refusal{UnitResult::busy, "the row is locked by another session"}
                                        : Refusal{UnitResult::moved_on, "the row is gone or no longer wrong"});
    }
  }
  return refusals;
}

std::optional<Refusal> check_derived(TaskStore& store, const PlanUnit& unit, const Plan& plan) {
  const RowRule& rule = rule_of(store.profile(), *unit.finding);
  RowRuleRequest request{.rule = rule, .reason = unit.reason, .now = plan.now};
  request.keys = {unit.finding->task.key};
  std::optional<Change> now;
  store.read_rule_rows(request, [&](RuleRow&& row) { now = std::move(row.change); });
  if (!now) {
    return Refusal{UnitResult::moved_on, "the row is gone"};
  }
  if (now->written.empty()) {
    return Refusal{UnitResult::moved_on, "is what its tasks add up to"};
  }
  const Change& planned = unit.changes.front();
  if (*now->after != *planned.after) {
    return Refusal{UnitResult::conflict,
                   "its tasks add up to something else now: " + describe_difference(*planned.after, *now->after)};
  }
  return std::nullopt;
}

}  // namespace taskctl
