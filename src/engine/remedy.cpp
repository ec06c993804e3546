#include "engine/remedy.hpp"

#include <algorithm>

#include "base/duration.hpp"
#include "engine/evidence.hpp"
#include "engine/odd_rows.hpp"
#include "engine/task_age.hpp"

namespace taskctl {

namespace {

void add_note(Finding& finding, const std::string& note) {
  finding.note += (finding.note.empty() ? "" : "; ") + note;
}

Outcome default_outcome(Finding& finding, Rule rule, const Profile& profile) {
  const auto found = profile.defaults.find(std::string{to_string(rule)});
  if (found == profile.defaults.end()) {
    add_note(finding, "the profile has no default outcome for " + std::string{to_string(rule)});
    return Outcome::undecided;
  }
  return found->second;
}

/// What the command line, or else the profile, says of the rule.
Outcome chosen_for(Finding& finding, const JudgeContext& context) {
  const Policy& policy = context.policy;
  if (finding.rule == Rule::overdue && policy.overdue) {
    return *policy.overdue;
  }
  if (finding.rule == Rule::dead && policy.dead) {
    return *policy.dead;
  }
  return default_outcome(finding, finding.rule, context.profile);
}

void add_evidence(Finding& finding, const Evidence& row) {
  const bool known = std::any_of(finding.evidence.begin(), finding.evidence.end(),
                                 [&](const Evidence& other) { return other.text == row.text; });
  if (!known) {
    finding.evidence.push_back(row);
  }
}

Outcome take_decision(Finding& finding, const Decision& decision) {
  if (!decision.problem.empty()) {
    add_note(finding, decision.problem);
  }
  if (decision.row) {
    add_evidence(finding, *decision.row);
  }
  finding.finished = decision.finished;
  finding.said = decision.said;
  return decision.outcome;
}

Outcome outcome_of_open_task(Finding& finding, const TaskFacts& facts, const JudgeContext& context) {
  if (finding.rule == Rule::contradiction) {
    const ClassRule& rule = context.profile.classes.at(facts.class_rule);
    if (rule.contradiction && rule.outcome) {
      return *rule.outcome;
    }
  }
  if (evidence_decides(finding.rule)) {
    if (const std::optional<Decision> decision = decide_by_evidence(finding.rule, facts, context)) {
      return take_decision(finding, *decision);
    }
  }
  if (finding.rule == Rule::contradiction && finding.task.task_class == TaskClass::parked) {
    add_note(finding, "a parked task waits for a person, who says how it ended");
    return Outcome::undecided;
  }
  return chosen_for(finding, context);
}

Outcome decide_outcome(Finding& finding, const TaskFacts& facts, const JudgeContext& context) {
  if (finding.certainty == Certainty::none) {
    return Outcome::unchanged;
  }
  // The row has ended and stays as it ended: --outcome cannot turn a terminal task into another.
  if (finding.rule == Rule::missing_finished_time || finding.rule == Rule::duplicate_result) {
    return outcome_of_class(*finding.task.task_class);
  }
  if (is_odd_row(finding.rule)) {
    return repaired_odd_row(finding, context.profile).value_or(outcome_of_class(*finding.task.task_class));
  }
  if (finding.rule == Rule::cancel_overwritten) {
    finding.finished = first_result_time(facts, context);
    return Outcome::cancelled;
  }
  const Outcome wanted =
      context.policy.outcome ? *context.policy.outcome : outcome_of_open_task(finding, facts, context);
  return within_attempts(finding, wanted, facts);
}

/// When it ended by its own row, unless that time is of an earlier attempt.
std::optional<Instant> own_end(const Task& task) {
  const TimeFact& started = task.times.started;
  const TimeFact& finished = task.times.finished;
  const bool leftover = started.known() && finished.known() && finished.at < started.at;
  return finished.known() && !leftover ? std::optional{finished.at} : std::nullopt;
}

/// See judge() for which hazard stops what.
bool stops(const std::string& hazard, const Finding& finding) {
  if (hazard == "alive") {
    return finding.rule == Rule::cancel_requested;
  }
  return hazard != "young" || finding.certainty == Certainty::possible;
}

/// Its age is what taskctl watched: a lower bound, and where rows have no versions a row that was taken again unseen
/// looks as if it had not been let go.
bool is_sighted(const Finding& finding) {
  const TimeFact& seen = finding.task.times.first_seen;
  return seen.known() && finding.since == seen.at;
}

/// A threshold for tasks of which nothing is known is no word about a source that is suspect, or about an age that was
/// only watched: there a person decides.
bool old_enough(const Finding& finding, const JudgeContext& context) {
  const Policy& policy = context.policy;
  const bool suspect = finding.rule == Rule::dead || finding.rule == Rule::never_assigned;
  const bool by_reap =
      !suspect && !is_sighted(finding) && policy.reap && finding.since && context.now - *finding.since >= *policy.reap;
  return policy.max_age_given || by_reap;
}

Repair decide_repair(const Finding& finding, const JudgeContext& context) {
  const bool undecided = finding.outcome == Outcome::undecided;
  const bool nothing_to_do = is_odd_row(finding.rule) ? !repaired_odd_row(finding, context.profile)
                                                      : finding.rule == Rule::duplicate_result &&
                                                            context.profile.rule_operations.count(finding.rule) == 0;
  if (finding.certainty == Certainty::none || nothing_to_do || !is_allowed(context.profile.safety, finding.outcome)) {
    return Repair::never;
  }
  const auto stands_in_the_way = [&](const std::string& hazard) {
    return stops(hazard, finding) && context.policy.accepted_hazards.count(hazard) == 0;
  };
  if (std::any_of(finding.hazards.begin(), finding.hazards.end(), stands_in_the_way)) {
    return Repair::hazard;
  }
  if (undecided) {
    return Repair::needs_outcome;
  }
  if (finding.certainty == Certainty::possible && !old_enough(finding, context)) {
    return Repair::needs_max_age;
  }
  return Repair::yes;
}

std::string own_reason(const Finding& finding, Instant now) {
  const auto age = age_of(finding, now);
  const std::string for_age =
      age ? (is_sighted(finding) ? " for at least " : " for ") + format_age(*age) : std::string{};
  switch (finding.rule) {
    case Rule::contradiction:
      return "it had ended and was not marked as over";
    case Rule::result_over:
      return "its result says that it is over";
    case Rule::cancel_overwritten:
      return "it had been cancelled, and a later report overwrote that";
    case Rule::duplicate_result:
      return "it had several results";
    case Rule::cancel_requested:
      return "a request to cancel it was not honoured";
    case Rule::missing_finished_time:
      return "it was over without a finished time";
    case Rule::dead:
      return "running" + for_age + ", and its worker is dead";
    case Rule::never_assigned:
      return "running" + for_age + " without a worker";
    case Rule::overdue:
      return "running" + for_age + " without an end";
    case Rule::waiting:
      return "queued" + for_age;
    case Rule::attempts_over_limit:
      return "it was tried more often than allowed";
    case Rule::started_after_finished:
      return "it began after it ended";
    case Rule::bulk_finished:
    case Rule::clock:
    case Rule::unreadable:
    case Rule::settling:
    case Rule::claim_without_task:
    case Rule::active_without_claim:
    case Rule::result_without_task:
    case Rule::worker_task_over:
    case Rule::lock_of_ended_task:
    case Rule::request_left_behind:
    case Rule::accounts_wrong:
      break;  // never repaired, or not a task
  }
  return "its times cannot be trusted";
}

}  // namespace

Outcome outcome_of_class(TaskClass task_class) {
  switch (task_class) {
    case TaskClass::succeeded:
      return Outcome::succeeded;
    case TaskClass::failed:
      return Outcome::failed;
    case TaskClass::cancelled:
      return Outcome::cancelled;
    case TaskClass::queued:
    case TaskClass::active:
    case TaskClass::parked:
      break;
  }
  return Outcome::unchanged;
}

Outcome within_attempts(Finding& finding, Outcome outcome, const TaskFacts& facts) {
  constexpr std::string_view k_source = "requeue";
  std::erase_if(finding.evidence, [](const Evidence& evidence) { return evidence.source == k_source; });
  const Task& task = finding.task;
  if (outcome != Outcome::requeued || !task.attempts_used || !task.attempts_limit) {
    return outcome;
  }
  const std::int64_t limit = *task.attempts_limit;
  std::int64_t used = *task.attempts_used;
  const bool counted = used < limit && facts.attempts_requeued > used;
  used = counted ? *facts.attempts_requeued : used;
  if (used < limit) {
    return outcome;
  }
  finding.evidence.push_back({std::string{k_source}, std::to_string(used) + " of " + std::to_string(limit) +
                                                         " attempts are spent" +
                                                         (counted ? " when this one is counted" : "") +
                                                         ", so it has failed instead of being requeued"});
  return Outcome::failed;
}

bool is_allowed(Safety safety, Outcome outcome) {
  if (safety == Safety::release_only) {
    return outcome == Outcome::requeued || outcome == Outcome::released || outcome == Outcome::parked ||
           outcome == Outcome::undecided;
  }
  return safety == Safety::full;
}

void decide_remedy(Finding& finding, const TaskFacts& facts, const JudgeContext& context) {
  finding.outcome = decide_outcome(finding, facts, context);
  if (!finding.finished) {
    finding.finished = own_end(finding.task);
  }
  finding.repair = decide_repair(finding, context);
}

std::vector<std::string> hazards_of(const TaskFacts& facts, const JudgeContext& context) {
  std::vector<std::string> names;
  if (facts.task.task_class == TaskClass::active) {
    if (judge_liveness(facts, context).liveness == Liveness::alive) {
      names.emplace_back("alive");
    }
    const auto since = since_of(facts.task, context.profile).at;
    if (since && context.now - *since < context.policy.young) {
      names.emplace_back("young");
    }
  }
  const auto& hazards = context.profile.hazards;
  for (std::size_t i = 0; i < hazards.size() && i < facts.hazards.size(); ++i) {
    if (facts.hazards[i]) {
      names.push_back(hazards[i].name);
    }
  }
  return names;
}

std::string reason_for(const Finding& finding, const Profile& profile, const std::string& given, Instant now) {
  if (!given.empty()) {
    return given;
  }
  if (finding.rule == Rule::cancel_requested && finding.request_reason && !finding.request_reason->empty()) {
    return *finding.request_reason;
  }
  if (finding.said) {
    return *finding.said;
  }
  const std::string rule{to_string(finding.rule)};
  if (const auto found = profile.reasons.find(rule); found != profile.reasons.end()) {
    return found->second;
  }
  const bool ends = finding.outcome == Outcome::succeeded || finding.outcome == Outcome::failed ||
                    finding.outcome == Outcome::cancelled;
  return (ends ? "ended as stuck: " : "put right: ") + own_reason(finding, now) + " (" + rule + ")";
}

}  // namespace taskctl
