#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/plan.hpp"
#include "model/policy.hpp"
#include "store/task_store.hpp"

namespace taskctl {

/// Those of the ids that no task has, in their order; ids of rows beside tasks ("table:key") are not looked at. A
/// mistyped id must not read as "nothing is wrong".
[[nodiscard]] std::vector<std::string> unknown_ids(TaskStore& store, const std::vector<std::string>& ids);

/// Leaves out, with the reason, every id of the plan's selector that the plan does not speak of yet: no such task, or
/// nothing is wrong with it. Reads in transactions of its own.
void account_for_ids(Plan& plan, TaskStore& store);

}  // namespace taskctl
