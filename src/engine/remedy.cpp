#include "engine/remedy.hpp"

#include <algorithm>

#include "base/duration.hpp"
#include "engine/task_age.hpp"

namespace taskctl {

namespace {

void add_note(Finding& finding, const std::string& note) {
  finding.note += (finding.note.empty() ? "" : "; ") + note;
}

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

Outcome default_outcome(Finding& finding, Rule rule, const Profile& profile) {
  const auto found = profile.defaults.find(std::string{to_string(rule)});
  if (found == profile.defaults.end()) {
    add_note(finding, "the profile has no default outcome for " + std::string{to_string(rule)});
    return Outcome::undecided;
  }
  return found->second;
}

/// A request that stood before the task ended says how it ended; one that came later does not.
bool request_decides(const TaskFacts& facts) {
  const auto& [present, requested, reason] = facts.cancel_request;
  return present && requested.known() && facts.task.times.finished.known() &&
         requested.at <= facts.task.times.finished.at;
}

Outcome contradiction_outcome(Finding& finding, const TaskFacts& facts, const Profile& profile) {
  const ClassRule& rule = profile.classes.at(facts.class_rule);
  if (rule.contradiction && rule.outcome) {
    return *rule.outcome;
  }
  if (finding.task.task_class == TaskClass::parked) {
    add_note(finding, "a parked task waits for a person, who says how it ended");
    return Outcome::undecided;
  }
  if (!profile.evidence.empty()) {
    add_note(finding, "the profile declares evidence of how it ended, which was not read");
    return Outcome::undecided;
  }
  if (request_decides(facts) && profile.defaults.count(std::string{to_string(Rule::cancel_requested)}) > 0) {
    const Duration before = facts.task.times.finished.at - facts.cancel_request.requested.at;
    finding.evidence.push_back({"cancel request", "cancel was requested " + format_age(before) + " before it ended"});
    return default_outcome(finding, Rule::cancel_requested, profile);
  }
  return default_outcome(finding, Rule::contradiction, profile);
}

Outcome decide_outcome(Finding& finding, const TaskFacts& facts, const JudgeContext& context) {
  if (finding.certainty == Certainty::none) {
    return Outcome::unchanged;
  }
  // The row has ended and stays as it ended: --outcome cannot turn a terminal task into another.
  if (finding.rule == Rule::missing_finished_time) {
    return outcome_of_class(*finding.task.task_class);
  }
  if (context.policy.outcome) {
    return *context.policy.outcome;
  }
  if (finding.rule == Rule::contradiction) {
    return contradiction_outcome(finding, facts, context.profile);
  }
  return default_outcome(finding, finding.rule, context.profile);
}

/// See judge() for which hazard stops what.
bool stops(const std::string& hazard, const Finding& finding) {
  if (hazard == "alive") {
    return finding.rule == Rule::cancel_requested;
  }
  return hazard != "young" || finding.certainty == Certainty::possible;
}

bool old_enough(const Finding& finding, const JudgeContext& context) {
  const Policy& policy = context.policy;
  return policy.max_age_given || (policy.reap && finding.since && context.now - *finding.since >= *policy.reap);
}

Repair decide_repair(const Finding& finding, const JudgeContext& context) {
  const Safety safety = context.profile.safety;
  const bool undecided = finding.outcome == Outcome::undecided;
  if (finding.certainty == Certainty::none || safety == Safety::read_only ||
      (safety == Safety::release_only && finding.outcome != Outcome::released && !undecided)) {
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
  const std::string for_age = age ? " for " + format_age(*age) : std::string{};
  switch (finding.rule) {
    case Rule::contradiction:
      return "it had ended and was not marked as over";
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
    case Rule::clock:
    case Rule::unreadable:
    case Rule::settling:
      break;
  }
  return "its times cannot be trusted";
}

}  // namespace

void decide_remedy(Finding& finding, const TaskFacts& facts, const JudgeContext& context) {
  finding.outcome = decide_outcome(finding, facts, context);
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
  const std::string rule{to_string(finding.rule)};
  if (const auto found = profile.reasons.find(rule); found != profile.reasons.end()) {
    return found->second;
  }
  const bool ends = finding.outcome == Outcome::succeeded || finding.outcome == Outcome::failed ||
                    finding.outcome == Outcome::cancelled;
  return (ends ? "ended as stuck: " : "put right: ") + own_reason(finding, now) + " (" + rule + ")";
}

}  // namespace taskctl
