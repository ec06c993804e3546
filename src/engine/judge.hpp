#pragma once

#include <string>
#include <vector>

#include "model/finding.hpp"
#include "model/policy.hpp"
#include "profile/profile.hpp"
#include "store/task_store.hpp"

namespace taskctl {

/// What a judgement rests on besides the row itself.
struct JudgeContext {
  const Profile& profile;
  const Policy& policy;
  Instant now;                        ///< detection time: the database's clock, or --now
  std::vector<WorkerCensus> workers;  ///< as TaskStore::read_workers() gave it
  bool standby_lags = false;          ///< a standby whose lag exceeds a liveness timeout: liveness is suspect
  /// The table that says which worker has a task is empty or hides rows: that a task stands in it nowhere says little.
  bool assignments_suspect = false;
};

struct RuleVerdict {
  Rule rule;
  bool fired = false;
  std::string why;  ///< "completed_at is set (2h31m ago)"; also why it did not fire
};

struct LivenessVerdict {
  Liveness liveness = Liveness::unknown;
  std::vector<Evidence> sources;  ///< what each source says
  std::vector<Liveness> says;     ///< the same in one word; unknown: it says nothing
  std::vector<bool> doubted;      ///< whether what it says may be wrong
  bool called_dead = false;       ///< the last one is a person
  bool suspect = false;           ///< dead, but no source that can be trusted says so
  bool outside_unknown = false;   ///< --alive-from gave no answer: then nobody is dead for sure
  bool presumed = false;          ///< suspect, and a person calls the worker dead
};

struct Judgement {
  std::optional<Finding> finding;     ///< nullopt: nothing is wrong with it
  std::vector<RuleVerdict> verdicts;  ///< every rule, strongest first
  LivenessVerdict liveness;
  std::optional<Instant> since;  ///< from when the age counts (start, or its fallback)
  /// Why an active task is not stuck: "worker agents alive (pinged 20s ago)", "started 24m ago".
  std::string fine_because;
};

/// Decides about one task. Pure: no database, no clock. The same function serves list, plan, apply and show, so that
/// a preview and the check inside the writing transaction cannot differ.
///
/// Boundaries: ages reach max_age, reap and queued_max_age (>=), and exceed settle, cancel_grace and the timeouts (>).
/// A row with a finished time that was touched within `settle` is left to its application: no weaker rule fires. A
/// finished time before the start is a leftover of an earlier attempt: it makes no contradiction and silences nothing.
/// Which hazards stop plain reconcile: the profile's always; `young` only findings that are no more than possible (a
/// dead worker's task counts from `settle` on); `alive` only an unhonoured cancel request (a row that contradicts
/// itself is over whatever its worker does now, and the other rules never call a task of a living worker stuck).
Judgement judge(const TaskFacts& facts, const JudgeContext& context);

/// Is the task's worker at work, and who says so?
LivenessVerdict judge_liveness(const TaskFacts& facts, const JudgeContext& context);

/// Why the source behind a finding of this rule is suspect.
std::string suspicion_of(Rule rule, const JudgeContext& context);

/// Fills the verdict from what its sources say: alive if any says alive, dead if one says dead and none says alive.
void conclude(LivenessVerdict& verdict);

/// Names of hazards that hold for the task: `alive` and `young` (active tasks only), and the profile's.
std::vector<std::string> hazards_of(const TaskFacts& facts, const JudgeContext& context);

/// Text of :reason for a finding: --reason, or the profile's or our sentence for the rule
/// ("ended as stuck: running for 66h49m without an end (overdue)").
std::string reason_for(const Finding& finding, const Profile& profile, const std::string& given, Instant now);

}  // namespace taskctl
