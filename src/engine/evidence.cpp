#include "engine/evidence.hpp"

#include "base/duration.hpp"
#include "base/text.hpp"
#include "engine/task_age.hpp"

namespace taskctl {

namespace {

using Kind = EvidenceSource::Kind;

/// The source that says how a task ended in one row, with what it says of this task.
struct FirstResult {
  const EvidenceSource* source = nullptr;
  const EvidenceFact* fact = nullptr;
  std::optional<Outcome> outcome;  ///< nullopt: no pattern fits the value

  [[nodiscard]] bool given() const { return fact != nullptr; }
};

bool is_ending(std::optional<Outcome> outcome) {
  return outcome == Outcome::succeeded || outcome == Outcome::failed || outcome == Outcome::cancelled;
}

std::optional<Outcome> outcome_of(const EvidenceSource& source, const EvidenceFact& fact) {
  return fact.pattern ? std::optional{source.patterns.at(*fact.pattern).outcome} : std::nullopt;
}

/// Of the first [[evidence]] entry with source = "result" that has a row.
FirstResult first_result(const TaskFacts& facts, const JudgeContext& context) {
  const auto& sources = context.profile.evidence;
  for (std::size_t i = 0; i < sources.size() && i < facts.evidence.size(); ++i) {
    if (sources[i].kind == Kind::result && context.policy.evidence && !facts.evidence[i].row.empty()) {
      return {&sources[i], &facts.evidence[i], outcome_of(sources[i], facts.evidence[i])};
    }
  }
  return {};
}

/// A result from before the task's start is of an earlier attempt.
bool is_leftover(const EvidenceFact& fact, const Task& task) {
  const TaskTimes& times = task.times;
  for (const TimeFact* begin : {&times.started, &times.claimed, &times.created}) {
    if (begin->known()) {
      return fact.finished.known() && fact.finished.at < begin->at;
    }
  }
  return false;
}

const std::string& name_of_source(const EvidenceSource& source) {
  return source.table.empty() ? source.value : source.table;
}

Evidence said_by(const EvidenceSource& source, const EvidenceFact& fact, Instant now) {
  std::string text = name_of_source(source) + (fact.row.empty() ? "" : " " + fact.row) + " says '" + fact.excerpt + "'";
  if (fact.finished.known()) {
    text += ", " + distance(fact.finished.at, now);
  }
  return {name_of_source(source), std::move(text)};
}

Decision decided_by(const EvidenceSource& source, const EvidenceFact& fact, Instant now) {
  const EvidencePattern& pattern = source.patterns.at(*fact.pattern);
  Decision decision{.outcome = pattern.outcome, .row = said_by(source, fact, now)};
  if (fact.finished.known()) {
    decision.finished = fact.finished.at;
  }
  if (pattern.is_reason && !fact.text.empty()) {
    decision.said = fact.text;
  }
  return decision;
}

/// A request that stood before the task ended says how it ended; one that came later does not. Of a task that did not
/// end by itself, any request says what was wanted.
std::optional<Decision> decide_by_request(Rule rule, const TaskFacts& facts, const JudgeContext& context) {
  const auto& [present, requested, reason] = facts.cancel_request;
  const auto wanted = context.profile.defaults.find(std::string{to_string(Rule::cancel_requested)});
  if (!present || !requested.known() || wanted == context.profile.defaults.end()) {
    return std::nullopt;
  }
  if (rule != Rule::contradiction) {
    return Decision{.outcome = wanted->second,
                    .row = Evidence{"cancel request", "cancel was requested " + distance(requested.at, context.now)}};
  }
  const TimeFact& finished = facts.task.times.finished;
  if (!finished.known() || requested.at > finished.at) {
    return std::nullopt;
  }
  return Decision{.outcome = wanted->second,
                  .row = Evidence{"cancel request", "cancel was requested " + format_age(finished.at - requested.at) +
                                                        " before it ended"}};
}

std::string result_text(const FirstResult& result, Instant now) {
  return said_by(*result.source, *result.fact, now).text;
}

std::string status_text(const Task& task) {
  return "status '" + printable(task.status.value_or("NULL")) + "'";
}

}  // namespace

Opinion quiet(std::string why) {
  return {false, std::move(why), {}};
}

Opinion fire(std::vector<Evidence> evidence) {
  std::string why;
  for (const auto& entry : evidence) {
    why += (why.empty() ? "" : "; ") + entry.text;
  }
  return {true, std::move(why), std::move(evidence)};
}

bool evidence_decides(Rule rule) {
  return rule == Rule::contradiction || rule == Rule::result_over || rule == Rule::dead ||
         rule == Rule::never_assigned || rule == Rule::overdue;
}

std::optional<Decision> decide_by_evidence(Rule rule, const TaskFacts& facts, const JudgeContext& context) {
  const auto& sources = context.profile.evidence;
  for (std::size_t i = 0; context.policy.evidence && i < sources.size(); ++i) {
    const EvidenceSource& source = sources[i];
    if (source.kind == Kind::cancel_request) {
      if (auto decision = decide_by_request(rule, facts, context)) {
        return decision;
      }
      continue;
    }
    if (i >= facts.evidence.size() || !facts.evidence[i].read) {
      return Decision{.problem = "evidence of how it ended in '" + name_of_source(source) + "' was not read"};
    }
    const EvidenceFact& fact = facts.evidence[i];
    if (fact.pattern && !is_leftover(fact, facts.task)) {
      return decided_by(source, fact, context.now);
    }
    if (!fact.problem.empty()) {
      return Decision{.problem = "evidence of how it ended cannot be read: " + fact.problem};
    }
  }
  return decide_by_request(rule, facts, context);
}

std::optional<Instant> first_result_time(const TaskFacts& facts, const JudgeContext& context) {
  const FirstResult result = first_result(facts, context);
  return result.given() && result.fact->finished.known() ? std::optional{result.fact->finished.at} : std::nullopt;
}

Opinion judge_result_over(const TaskFacts& facts, const JudgeContext& context) {
  if (facts.task.task_class != TaskClass::active) {
    return quiet("not active: " + status_text(facts.task));
  }
  const FirstResult result = first_result(facts, context);
  if (!result.given()) {
    return quiet("it has no result");
  }
  const std::string text = result_text(result, context.now);
  if (!is_ending(result.outcome)) {
    return quiet(text + ", which is no end");
  }
  if (!result.fact->finished.known()) {
    return quiet(text + ", but since when is unknown");
  }
  if (is_leftover(*result.fact, facts.task)) {
    return quiet(text + ": before its start, so it is of an earlier attempt");
  }
  if (context.now - result.fact->finished.at <= context.policy.settle) {
    return quiet(text + ", not longer than " + format_duration(context.policy.settle) + " ago");
  }
  return fire({{name_of_source(*result.source), text}});
}

Opinion judge_cancel_overwritten(const TaskFacts& facts, const JudgeContext& context, const std::string& fresh) {
  if (context.profile.enabled_rules.count(Rule::cancel_overwritten) == 0) {
    return quiet("the profile does not enable this rule");
  }
  const Task& task = facts.task;
  if (!task.task_class || !is_terminal(*task.task_class) || task.task_class == TaskClass::cancelled) {
    return quiet("not over, or over as cancelled: " + status_text(task));
  }
  const FirstResult result = first_result(facts, context);
  if (!result.given() || result.outcome != Outcome::cancelled) {
    return quiet(result.given() ? result_text(result, context.now) : "it has no result");
  }
  if (!fresh.empty() || is_leftover(*result.fact, task)) {
    return quiet(fresh.empty() ? "its first result is of an earlier attempt" : fresh);
  }
  return fire({{name_of_source(*result.source), result_text(result, context.now) + " although " + status_text(task) +
                                                    " is " + std::string{to_string(*task.task_class)}}});
}

Opinion judge_duplicate_result(const TaskFacts& facts, const JudgeContext& context, const std::string& fresh) {
  if (context.profile.enabled_rules.count(Rule::duplicate_result) == 0) {
    return quiet("the profile does not enable this rule");
  }
  if (!facts.task.task_class || !is_terminal(*facts.task.task_class)) {
    return quiet("not over: " + status_text(facts.task));
  }
  const FirstResult result = first_result(facts, context);
  if (!result.given() || !result.fact->several) {
    return quiet(result.given() ? "it has one result" : "it has no result");
  }
  if (!fresh.empty()) {
    return quiet(fresh);
  }
  return fire({{name_of_source(*result.source),
                result_text(result, context.now) + ", and it is not the only result of this task"}});
}

}  // namespace taskctl
