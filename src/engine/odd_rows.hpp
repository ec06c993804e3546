#pragma once

#include <string>

#include "engine/judge.hpp"
#include "engine/opinion.hpp"

namespace taskctl {

// Rules about rows that cannot be right whatever became of their task, each only where the profile enables it. `fresh`
// says why the row may be in the middle of a change; empty: it is settled.
[[nodiscard]] Opinion judge_attempts(const TaskFacts& facts, const JudgeContext& context, const std::string& fresh);
[[nodiscard]] Opinion judge_order_of_times(const TaskFacts& facts, const JudgeContext& context,
                                           const std::string& fresh);
[[nodiscard]] Opinion judge_bulk_finished(const TaskFacts& facts, const JudgeContext& context);

/// The findings of these rules say nothing about how a task ended, and it is not for a repair to say so.
[[nodiscard]] bool is_odd_row(Rule rule);
/// What the operations that the profile has for the rule make of the task; nullopt: it is only reported.
[[nodiscard]] std::optional<Outcome> repaired_odd_row(const Finding& finding, const Profile& profile);

}  // namespace taskctl
