#include "engine/evidence_gatherer.hpp"

#include <algorithm>

#include "engine/evidence.hpp"

namespace taskctl {

namespace {

using Kind = EvidenceSource::Kind;

bool reads_results(const Profile& profile) {
  return std::any_of(profile.evidence.begin(), profile.evidence.end(),
                     [](const EvidenceSource& source) { return source.kind == Kind::result; });
}

/// Rules that ask for the results of a task whatever else is known of it.
bool results_may_speak(const TaskFacts& facts, const Profile& profile) {
  if (!facts.task.task_class || !reads_results(profile)) {
    return false;
  }
  if (!is_terminal(*facts.task.task_class)) {
    return facts.task.task_class == TaskClass::active;
  }
  return profile.enabled_rules.count(Rule::cancel_overwritten) > 0 ||
         profile.enabled_rules.count(Rule::duplicate_result) > 0;
}

bool is_open(const Judgement& judgement, const JudgeContext& context) {
  return judgement.finding && evidence_decides(judgement.finding->rule) && !context.policy.outcome;
}

void read_sources(TaskStore& store, std::span<TaskFacts* const> tasks, bool results) {
  const auto& sources = store.profile().evidence;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if ((sources[i].kind == Kind::result) == results && !tasks.empty()) {
      store.read_evidence(i, tasks);
    }
  }
}

}  // namespace

bool wants_evidence(const TaskFacts& facts, const Judgement& judgement, const JudgeContext& context) {
  return context.policy.evidence && !context.profile.evidence.empty() &&
         (results_may_speak(facts, context.profile) || is_open(judgement, context));
}

void gather_evidence(TaskStore& store, const JudgeContext& context, std::span<TaskFacts* const> tasks) {
  if (!context.policy.evidence || context.profile.evidence.empty()) {
    return;
  }
  std::vector<TaskFacts*> wanting;
  for (TaskFacts* facts : tasks) {
    if (wants_evidence(*facts, judge(*facts, context), context)) {
      wanting.push_back(facts);
    }
  }
  read_sources(store, wanting, true);
  std::erase_if(wanting, [&](TaskFacts* facts) { return !is_open(judge(*facts, context), context); });
  read_sources(store, wanting, false);
}

}  // namespace taskctl
