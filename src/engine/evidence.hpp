#pragma once

#include <optional>
#include <string>

#include "engine/judge.hpp"
#include "engine/opinion.hpp"

namespace taskctl {

/// How a task ended, as far as anything but a default says so.
struct Decision {
  Outcome outcome = Outcome::undecided;
  std::optional<Evidence> row;      ///< what decided
  std::optional<Instant> finished;  ///< the time that it gives
  std::optional<std::string> said;  ///< its text, where the profile wants it as the reason
  std::string problem;              ///< why nobody can tell: a declared source could not be read
};

/// May evidence say how findings of this rule ended? Never of a cancel request: a cancel is permanent.
[[nodiscard]] bool evidence_decides(Rule rule);

/// Asks the sources in the profile's order, and then a pending cancel request. nullopt: none of them says anything.
[[nodiscard]] std::optional<Decision> decide_by_evidence(Rule rule, const TaskFacts& facts,
                                                         const JudgeContext& context);

/// Time of the first result, if the task has one and it has a time.
[[nodiscard]] std::optional<Instant> first_result_time(const TaskFacts& facts, const JudgeContext& context);

// The rules that rest on the first result row. `fresh` says why the task's row may be in the middle of a change; empty:
// it is settled.
[[nodiscard]] Opinion judge_result_over(const TaskFacts& facts, const JudgeContext& context);
[[nodiscard]] Opinion judge_cancel_overwritten(const TaskFacts& facts, const JudgeContext& context,
                                               const std::string& fresh);
[[nodiscard]] Opinion judge_duplicate_result(const TaskFacts& facts, const JudgeContext& context,
                                             const std::string& fresh);

}  // namespace taskctl
