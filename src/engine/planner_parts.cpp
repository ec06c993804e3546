#include "engine/planner_parts.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "base/digest.hpp"
#include "base/text.hpp"
#include "engine/remedy.hpp"
#include "store/catalog.hpp"

namespace taskctl {

namespace {

bool is_same(const TimeFact& a, const TimeFact& b) {
  return a.state == b.state && a.at == b.at && a.raw == b.raw;
}

/// What tells a row from another one with the same id.
bool is_same_row(const Task& a, const Task& b) {
  return a.status == b.status && a.worker == b.worker && is_same(a.times.started, b.times.started) &&
         is_same(a.times.finished, b.times.finished) && is_same(a.times.created, b.times.created) &&
         is_same(a.times.updated, b.times.updated);
}

/// Why the id of a candidate does not lead to its row, if it does not: an id is text. It does not when a part of it is
/// NULL, or, in a column of SQLite that has no type, a blob, a float, or a number beside the same digits as text.
class AddressCheck {
 public:
  /// Reads the rows that answer to `keys`.
  AddressCheck(TaskStore& store, std::vector<TaskKey> keys) : m_twin{twin_text(store)} {
    if (keys.empty()) {
      return;
    }
    FactsRequest wanted;
    wanted.rows = FactsRequest::Rows::by_key;
    wanted.keys = std::move(keys);
    store.read_facts(wanted, [this](TaskFacts&& facts) {
      TaskKey key = facts.task.key;
      m_found.emplace(std::move(key), std::move(facts));
    });
  }

  /// nullopt: the id leads to the row.
  [[nodiscard]] std::optional<std::string> problem(const Task& task) const {
    const auto found = m_found.find(task.key);
    if (found == m_found.end()) {
      return "no row answers to its id: a part of its key is NULL, a blob or a float";
    }
    if (found->second.has_twin) {
      return m_twin;
    }
    if (!is_same_row(found->second.task, task)) {
      return "another row answers to its id";
    }
    return std::nullopt;
  }

 private:
  std::string m_twin;
  std::map<TaskKey, TaskFacts> m_found;
};

/// What a trigger does is seen only once a row is written: it stands in the journal then, but not in the plan.
void warn_of_triggers(Plan& plan, const TaskStore& store) {
  const Profile& profile = store.profile();
  const std::vector<TableName> written = plan.tables();
  for (const auto& [name, table] : store.schema().tables) {
    std::vector<std::string> unknown;
    std::ranges::copy_if(table.triggers, std::back_inserter(unknown),
                         [&](const std::string& trigger) { return !profile.triggers.contains(trigger); });
    if (!unknown.empty() && std::ranges::find(written, table.name) != written.end()) {
      plan.warnings.push_back(
          fmt::format("'{}' has triggers that profile '{}' does not name ({}): what they do is not in "
                      "the plan",
                      name, profile.name, join(unknown, ", ")));
    }
  }
}

}  // namespace

std::string twin_text(TaskStore& store) {
  return store.connection().engine() == Engine::sqlite
             ? "two rows answer to its id: 1 and '1' in a key column without a type"
             : "two rows answer to its id: they stand in different partitions";
}

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
  return count_statuses(store.status_counts());
}

std::map<std::string, std::int64_t> count_statuses(std::span<const StatusCount> counts) {
  std::map<std::string, std::int64_t> by_status;
  for (const StatusCount& entry : counts) {
    by_status[entry.status.value_or("NULL")] += entry.count;
  }
  return by_status;
}

std::vector<std::string> unmapped_statuses(std::span<const StatusCount> counts) {
  std::vector<std::string> unmapped;
  for (const StatusCount& entry : counts) {
    if (!entry.task_class) {
      unmapped.push_back(fmt::format("{} ({} {})", entry.status ? "'" + printable(*entry.status) + "'" : "NULL",
                                     entry.count, entry.count == 1 ? "row" : "rows"));
    }
  }
  return unmapped;
}

void end_plan(Plan& plan, TaskStore& store) {
  const std::vector<StatusCount> counts = store.status_counts();
  plan.status_before = count_statuses(counts);
  plan.unmapped = unmapped_statuses(counts);
  const bool accepted = plan.policy.accepted_hazards.contains(std::string{k_unmapped_hazard});
  if (!plan.unmapped.empty() && !accepted && plan.command != "undo" && !plan.empty()) {
    plan.warnings.push_back(fmt::format("profile '{}' does not map {}, so nothing will be written",
                                        store.profile().name, join(plan.unmapped, ", ")));
  }
  warn_of_triggers(plan, store);
  for (std::string& warning : hidden_rows_warnings(store.schema())) {
    if (std::ranges::find(plan.warnings, warning) == plan.warnings.end()) {
      plan.warnings.push_back(std::move(warning));
    }
  }
}

namespace {

std::vector<TaskKey> keys_of(std::span<const Candidate> candidates) {
  std::vector<TaskKey> keys;
  for (const Candidate& candidate : candidates) {
    keys.push_back(candidate.finding.task.key);
  }
  return keys;
}

void leave_out(Plan& plan, const Candidate& candidate, LeftOut::Why why, std::string detail) {
  plan.leave_out({.task = candidate.finding.task.key.text(),
                  .why = why,
                  .detail = std::move(detail),
                  .finding = candidate.finding});
}

/// The candidates whose id leads to their row; the others are left out.
std::vector<Candidate> addressable(Plan& plan, TaskStore& store, std::span<const Candidate> candidates) {
  const AddressCheck addresses{store, keys_of(candidates)};
  std::vector<Candidate> kept;
  for (const Candidate& candidate : candidates) {
    if (std::optional<std::string> problem = addresses.problem(candidate.finding.task)) {
      leave_out(plan, candidate, LeftOut::Why::unaddressable, std::move(*problem));
    } else {
      kept.push_back(candidate);
    }
  }
  return kept;
}

/// What the operations of each candidate would change, in the candidates' order.
std::vector<std::vector<Change>> evaluate(TaskStore& store, std::span<const Candidate> candidates, Instant now) {
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
    std::vector<std::vector<Change>> evaluated = store.evaluate(*operations, inputs, now);
    for (std::size_t i = 0; i < members.size(); ++i) {
      changes[members[i]] = std::move(evaluated.at(i));
    }
  }
  return changes;
}

void append_changes(Plan& plan, TaskStore& store, std::span<const Candidate> candidates) {
  std::vector<std::vector<Change>> changes = evaluate(store, candidates, plan.now);
  std::vector<TaskKey> unchanged;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (changes[i].empty()) {
      unchanged.push_back(candidates[i].finding.task.key);
    }
  }
  const AddressCheck addresses{store, std::move(unchanged)};
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const Candidate& candidate = candidates[i];
    if (!changes[i].empty()) {
      plan.append({.finding = candidate.finding,
                   .task = candidate.finding.task.key.text(),
                   .reason = candidate.reason,
                   .changes = std::move(changes[i]),
                   .depends_on = {}});
    } else if (std::optional<std::string> problem = addresses.problem(candidate.finding.task)) {
      leave_out(plan, candidate, LeftOut::Why::unaddressable, std::move(*problem));
    } else {
      leave_out(plan, candidate, LeftOut::Why::nothing_to_do, "its rows are already as the repair would make them");
    }
  }
}

}  // namespace

void append_units(Plan& plan, TaskStore& store, std::span<const Candidate> candidates) {
  if (store.ids_may_be_shared()) {
    append_changes(plan, store, addressable(plan, store, candidates));
  } else {
    append_changes(plan, store, candidates);
  }
}

const OperationList* operations_for(const Profile& profile, const Finding& finding, std::string& detail) {
  if (!is_allowed(profile.safety, finding.outcome)) {
    detail = "profile '" + profile.name + "' is " + std::string{to_string(profile.safety)} +
             (profile.safety_reason.empty() ? "" : ": " + profile.safety_reason);
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
