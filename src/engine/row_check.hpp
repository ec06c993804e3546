#pragma once

#include <map>
#include <optional>
#include <span>

#include "engine/applier_check.hpp"
#include "engine/plan.hpp"
#include "store/task_store.hpp"

namespace taskctl {

/// Evaluates the invariants of these units again and, with `lock`, locks the rows for which they still hold. Returns
/// why a unit (by position) is not applied.
[[nodiscard]] std::map<std::size_t, Refusal> check_invariants(TaskStore& store, std::span<const PlanUnit> units,
                                                              const Plan& plan, bool lock);

/// Works a derived row out again, from the tasks as they are in the transaction: with what this batch wrote, and with
/// what others committed since the plan was made.
[[nodiscard]] std::optional<Refusal> check_derived(TaskStore& store, const PlanUnit& unit, const Plan& plan);

/// The unit is about a derived row.
[[nodiscard]] bool is_derived(const Profile& profile, const PlanUnit& unit);

}  // namespace taskctl
