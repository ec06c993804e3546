#include "engine/odd_rows.hpp"

#include "base/text.hpp"
#include "engine/remedy.hpp"
#include "engine/task_age.hpp"

namespace taskctl {

namespace {

/// Why the rule has nothing to say of this task; empty: it has.
std::string silence_about(Rule rule, const Task& task, const Profile& profile, const std::string& fresh) {
  if (profile.enabled_rules.count(rule) == 0) {
    return "the profile does not enable this rule";
  }
  if (!task.task_class) {
    return "status '" + printable(task.status.value_or("NULL")) + "' is not mapped by the profile";
  }
  return fresh;
}

}  // namespace

Opinion judge_attempts(const TaskFacts& facts, const JudgeContext& context, const std::string& fresh) {
  const Task& task = facts.task;
  if (std::string reason = silence_about(Rule::attempts_over_limit, task, context.profile, fresh); !reason.empty()) {
    return quiet(std::move(reason));
  }
  if (!task.attempts_used || !task.attempts_limit) {
    return quiet("its attempts or their limit are not known");
  }
  const std::string text =
      std::to_string(*task.attempts_used) + " attempts of " + std::to_string(*task.attempts_limit) + " allowed";
  return *task.attempts_used > *task.attempts_limit ? fire({{"attempts", text}}) : quiet(text);
}

Opinion judge_order_of_times(const TaskFacts& facts, const JudgeContext& context, const std::string& fresh) {
  const Task& task = facts.task;
  if (std::string reason = silence_about(Rule::started_after_finished, task, context.profile, fresh); !reason.empty()) {
    return quiet(std::move(reason));
  }
  const std::string start = source_name(context.profile.times.started, "started");
  const std::string end = source_name(context.profile.times.finished, "finished");
  const TimeFact& started = task.times.started;
  const TimeFact& finished = task.times.finished;
  if (!started.known() || !finished.known()) {
    return quiet((started.known() ? end : start) + " is not known");
  }
  const std::string times =
      start + " " + distance(started.at, context.now) + ", " + end + " " + distance(finished.at, context.now);
  return started.at > finished.at ? fire({{start, "it began after it ended: " + times}}) : quiet(times);
}

Opinion judge_bulk_finished(const TaskFacts& facts, const JudgeContext& context) {
  const Profile& profile = context.profile;
  if (std::string reason = silence_about(Rule::bulk_finished, facts.task, profile, ""); !reason.empty()) {
    return quiet(std::move(reason));
  }
  const std::string end = source_name(profile.times.finished, "finished");
  if (facts.finished_together < profile.bulk_finished) {
    return quiet("fewer than " + std::to_string(profile.bulk_finished) + " tasks have its " + end);
  }
  return fire({{end, std::to_string(facts.finished_together) + " tasks have the same " + end}});
}

bool is_odd_row(Rule rule) {
  return rule == Rule::attempts_over_limit || rule == Rule::started_after_finished || rule == Rule::bulk_finished;
}

std::optional<Outcome> repaired_odd_row(const Finding& finding, const Profile& profile) {
  if (profile.rule_operations.count(finding.rule) == 0 || !finding.task.task_class) {
    return std::nullopt;
  }
  // One that is active may be at work, and one that is parked waits for a person.
  if (finding.rule == Rule::attempts_over_limit && finding.task.task_class == TaskClass::queued) {
    return Outcome::failed;
  }
  if (finding.rule == Rule::started_after_finished && is_terminal(*finding.task.task_class)) {
    return outcome_of_class(*finding.task.task_class);
  }
  return std::nullopt;
}

}  // namespace taskctl
