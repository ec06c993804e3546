#include "engine/planner_parts.hpp"

#include <set>

#include "base/digest.hpp"
#include "engine/remedy.hpp"

namespace taskctl {

namespace {

/// Tasks among `keys` whose id leads to their row. It does not when a part is NULL, or a blob or a float in a column
/// of SQLite that has no type: an id is text.
std::set<TaskKey> reachable(TaskStore& store, std::vector<TaskKey> keys) {
  std::set<TaskKey> found;
  if (!keys.empty()) {
    FactsRequest wanted;
    wanted.rows = FactsRequest::Rows::by_key;
    wanted.keys = std::move(keys);
    store.read_facts(wanted, [&found](TaskFacts&& facts) { found.insert(std::move(facts.task.key)); });
  }
  return found;
}

}  // namespace

Plan start_plan(TaskStore& store, const std::string& command) {
  constexpr std::size_t k_nonce_bytes = 16;
  Plan plan;
  plan.command = command;
  plan.identity = store.connection().server().identity;
  plan.profile = store.profile().name;
  plan.profile_hash = store.profile().hash;
  plan.schema_fingerprint = store.schema().fingerprint();
  plan.nonce = random_hex(k_nonce_bytes);
  return plan;
}

std::map<std::string, std::int64_t> count_statuses(TaskStore& store) {
  std::map<std::string, std::int64_t> counts;
  for (const StatusCount& entry : store.status_counts()) {
    counts[entry.status.value_or("NULL")] += entry.count;
  }
  return counts;
}

void append_units(Plan& plan, TaskStore& store, std::span<const Candidate> candidates) {
  std::map<const OperationList*, std::vector<std::size_t>> by_operations;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    by_operations[candidates[i].operations].push_back(i);
  }
  std::vector<std::vector<Change>> changes(candidates.size());
  for (const auto& [operations, members] : by_operations) {
    std::vector<EvaluationInput> inputs;
    inputs.reserve(members.size());
    for (const std::size_t member : members) {
      const Candidate& candidate = candidates[member];
      inputs.push_back({candidate.finding.task.key, candidate.reason, candidate.finding.finished});
    }
    std::vector<std::vector<Change>> evaluated = store.evaluate(*operations, inputs, plan.now);
    for (std::size_t i = 0; i < members.size(); ++i) {
      changes[members[i]] = std::move(evaluated.at(i));
    }
  }
  std::vector<TaskKey> unchanged;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (changes[i].empty()) {
      unchanged.push_back(candidates[i].finding.task.key);
    }
  }
  const std::set<TaskKey> found = reachable(store, std::move(unchanged));
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const Candidate& candidate = candidates[i];
    std::string task = candidate.finding.task.key.text();
    if (changes[i].empty() && found.count(candidate.finding.task.key) == 0) {
      plan.leave_out({.task = std::move(task),
                      .why = LeftOut::Why::unaddressable,
                      .detail = "no row answers to its id: a part of its key is NULL, a blob or a float",
                      .finding = candidate.finding});
    } else if (changes[i].empty()) {
      plan.leave_out({.task = std::move(task),
                      .why = LeftOut::Why::nothing_to_do,
                      .detail = "its rows are already as the repair would make them",
                      .finding = candidate.finding});
    } else {
      plan.append({.finding = candidate.finding,
                   .task = std::move(task),
                   .reason = candidate.reason,
                   .changes = std::move(changes[i]),
                   .depends_on = {}});
    }
  }
}

const OperationList* operations_for(const Profile& profile, const Finding& finding, std::string& detail) {
  if (!is_allowed(profile.safety, finding.outcome)) {
    detail = "profile '" + profile.name + "' is " + std::string{to_string(profile.safety)};
    return nullptr;
  }
  if (const auto found = profile.outcomes.find(finding.outcome); found != profile.outcomes.end()) {
    return &found->second;
  }
  detail = "profile '" + profile.name + "' has no operations for the outcome '" +
           std::string{to_string(finding.outcome)} + "'";
  return nullptr;
}

std::string open_hazards(const std::vector<std::string>& names, const Profile& profile, const Policy& policy) {
  std::string text;
  for (const std::string& name : names) {
    if (policy.accepted_hazards.count(name) > 0) {
      continue;
    }
    text += (text.empty() ? "" : ", ") + name;
    for (const Hazard& hazard : profile.hazards) {
      if (hazard.name == name && !hazard.message.empty()) {
        text += " (" + hazard.message + ")";
      }
    }
  }
  return text;
}

}  // namespace taskctl
