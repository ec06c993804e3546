#include "engine/applier_check.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "engine/planner_parts.hpp"
#include "engine/workers.hpp"

namespace taskctl {

namespace {

constexpr std::size_t k_shown_columns = 3;
constexpr std::size_t k_shown_width = 60;

std::string shown(const Value& value) {
  return is_null(value) ? "NULL" : "'" + truncate_to_width(printable(to_display(value)), k_shown_width) + "'";
}

std::string its_status(const Task& task) {
  return "its status is '" + printable(task.status.value_or("NULL")) + "'";
}

bool fires(const Finding& finding, Rule rule) {
  return finding.rule == rule || std::find(finding.also.begin(), finding.also.end(), rule) != finding.also.end();
}

/// The row of results that counts now must not be one that the plan deletes: it may not have been the first then.
std::optional<Refusal> check_first_result(const PlanUnit& unit, const TaskFacts& facts, const JudgeContext& context) {
  const auto& sources = context.profile.evidence;
  for (std::size_t i = 0; i < sources.size() && i < facts.evidence.size(); ++i) {
    const std::string& row = facts.evidence[i].row;
    if (sources[i].kind != EvidenceSource::Kind::result || row.empty()) {
      continue;
    }
    const bool goes = std::ranges::any_of(unit.changes, [&](const Change& change) {
      const std::string& table = sources[i].table;
      return change.operation == Operation::remove && printable(change.key.display()) == row &&
             (table == change.table.name || table.ends_with("." + change.table.name));
    });
    if (goes) {
      return Refusal{UnitResult::conflict,
                     "the first row of '" + sources[i].table + "' is now " + row + ", which the plan deletes"};
    }
  }
  return std::nullopt;
}

std::optional<Refusal> check_finding(const Finding& planned, const TaskFacts& facts, const JudgeContext& context) {
  const Judgement judgement = judge(facts, context);
  if (!judgement.finding) {
    const bool fine = !judgement.fine_because.empty() && facts.task.status == planned.task.status;
    return Refusal{UnitResult::moved_on,
                   "is no longer wrong: " + (fine ? judgement.fine_because : its_status(facts.task))};
  }
  const Finding& now = *judgement.finding;
  const std::string rule_now{to_string(now.rule)};
  if (!fires(now, planned.rule)) {
    return Refusal{UnitResult::moved_on,
                   "is now '" + rule_now + "' instead of '" + std::string{to_string(planned.rule)} + "'"};
  }
  if (now.repair == Repair::hazard) {
    return Refusal{UnitResult::refused, "hazard: " + open_hazards(now.hazards, context.profile, context.policy)};
  }
  if (now.repair != Repair::yes) {
    return Refusal{UnitResult::moved_on, "is now only '" + rule_now + "', " + std::string{to_string(now.certainty)} +
                                             ": " +
                                             (now.note.empty() ? "not repaired without being asked for" : now.note)};
  }
  if (now.outcome != planned.outcome) {
    return Refusal{UnitResult::conflict, "its outcome would be '" + std::string{to_string(now.outcome)} +
                                             "' now instead of '" + std::string{to_string(planned.outcome)} + "' (" +
                                             rule_now + ")"};
  }
  if (now.said != planned.said || now.finished != planned.finished) {
    return Refusal{UnitResult::conflict, "what says how it ended has changed (" + rule_now + ")"};
  }
  return std::nullopt;
}

std::optional<Refusal> check_cancel(const TaskFacts& facts, const JudgeContext& context, bool force) {
  const Task& task = facts.task;
  if (!task.task_class) {
    return Refusal{UnitResult::conflict, its_status(task) + ", which the profile does not map"};
  }
  if (is_terminal(*task.task_class)) {
    return Refusal{UnitResult::moved_on, "is already over: " + its_status(task)};
  }
  if (task.task_class == TaskClass::active && !force) {
    return Refusal{UnitResult::refused, "is active now: --force ends active tasks too"};
  }
  if (std::string hazards = open_hazards(hazards_of(facts, context), context.profile, context.policy);
      !hazards.empty()) {
    return Refusal{UnitResult::refused, "hazard: " + hazards};
  }
  return std::nullopt;
}

/// The worker as a whole comes first: a task that contradicts itself would be repaired whatever its worker does.
std::optional<Refusal> check_worker(const TaskFacts& facts, const std::string& name, const LivenessVerdict& worker) {
  const Task& task = facts.task;
  if (task.task_class != TaskClass::active) {
    return Refusal{UnitResult::moved_on, "is no longer held: " + its_status(task)};
  }
  if (task.worker != name) {
    return Refusal{UnitResult::moved_on, "is now held by '" + printable(task.worker.value_or("nobody")) + "'"};
  }
  if (worker.liveness == Liveness::alive) {
    return Refusal{UnitResult::refused, "its worker is alive again: " + liveness_words(worker, Liveness::alive)};
  }
  return std::nullopt;
}

}  // namespace

std::optional<Refusal> check_again(const PlanUnit& unit, const TaskFacts& facts, const JudgeContext& context,
                                   const Plan& plan, const LivenessVerdict& worker) {
  if (facts.has_twin) {
    return Refusal{UnitResult::conflict, "two rows answer to its id"};
  }
  if (plan.command == "cancel") {
    return check_cancel(facts, context, plan.force);
  }
  std::optional<Refusal> refusal;
  if (plan.command == "release-worker") {
    refusal = check_worker(facts, plan.selector.workers.front(), worker);
  }
  if (!refusal) {
    refusal = check_finding(*unit.finding, facts, context);
  }
  return refusal ? refusal : check_first_result(unit, facts, context);
}

void recall_sighting(const Task& planned, std::map<TaskKey, TaskFacts>& now) {
  const auto found = now.find(planned.key);
  if (found == now.end() || !planned.times.first_seen.known() || planned.fingerprint.empty()) {
    return;
  }
  Task& task = found->second.task;
  if (task.fingerprint == planned.fingerprint && task.times.first_seen.absent()) {
    task.times.first_seen = planned.times.first_seen;
  }
}

std::string describe_difference(const Image& planned, const Image& actual) {
  std::vector<std::string> parts;
  std::size_t differences = 0;
  for (std::size_t i = 0; i < planned.values.size(); ++i) {
    const std::string& column = planned.columns->at(i);
    const Value* now = actual.find(column);
    if (now != nullptr && *now == planned.values[i]) {
      continue;
    }
    if (++differences <= k_shown_columns) {
      parts.push_back("column '" + column + "' is " + (now == nullptr ? "gone" : shown(*now)) + " instead of " +
                      shown(planned.values[i]));
    }
  }
  if (differences > k_shown_columns) {
    parts.push_back("and " + std::to_string(differences - k_shown_columns) + " more");
  }
  return parts.empty() ? "the table has other columns now" : join(parts, ", ");
}

}  // namespace taskctl
