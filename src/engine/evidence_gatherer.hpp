#pragma once

#include <span>

#include "engine/judge.hpp"
#include "store/task_store.hpp"

namespace taskctl {

/// Tasks whose evidence is read together.
inline constexpr std::size_t k_evidence_chunk = 2000;

/// Could evidence change this judgement, which was made without it?
[[nodiscard]] bool wants_evidence(const TaskFacts& facts, const Judgement& judgement, const JudgeContext& context);

/// Reads the evidence that may decide about the tasks, inside the caller's transaction: results of all of them, the
/// other sources only of those of which the results leave open how they ended. The tasks must be judged again.
void gather_evidence(TaskStore& store, const JudgeContext& context, std::span<TaskFacts* const> tasks);

}  // namespace taskctl
