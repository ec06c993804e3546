#pragma once

#include "model/change.hpp"
#include "profile/profile.hpp"
#include "sql/render.hpp"

namespace taskctl {

/// An overlay without tasks, for every column that an operation of the profile may set on a task.
[[nodiscard]] TaskOverlay task_overlay(const Profile& profile);

/// Adds a task's row as `change`, an update or a delete, will leave it. Bytes that are no text stand as people see
/// them: JSON cannot hold them, and sums are not made of them.
void append_task(TaskOverlay& overlay, const Profile& profile, const Change& change);

}  // namespace taskctl
