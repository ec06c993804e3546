#pragma once

#include "engine/judge.hpp"

namespace taskctl {

/// Fills outcome and repair of a finding whose rule, certainty, hazards and since are known, and adds to its note and
/// evidence what decided them. Part of judge().
void decide_remedy(Finding& finding, const TaskFacts& facts, const JudgeContext& context);

/// That a task is over as it is; unchanged for one that is not over.
[[nodiscard]] Outcome outcome_of_class(TaskClass task_class);

/// A task whose attempts are spent, or will be by the one that requeueing counts, would be queued and never be taken
/// again: it fails instead, and its evidence says so.
[[nodiscard]] Outcome within_attempts(Finding& finding, Outcome outcome, const TaskFacts& facts);

/// Does the profile's safety class let a repair end so? A release-only profile gives tasks back and ends none.
[[nodiscard]] bool is_allowed(Safety safety, Outcome outcome);

}  // namespace taskctl
