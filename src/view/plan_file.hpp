#pragma once

#include <filesystem>

#include "base/stop.hpp"
#include "view/plan_codec.hpp"

namespace taskctl {

// A saved plan (docs/plans.md): JSON lines, first the header, then one line per task, then what was left out, and last
// {"sha256":"…"} of everything before. The digest finds accidents and edits; it is no signature.

/// Writes a new file of mode 0600, durable once this returns; the digest is put into `info`. Throws Error{refused} when
/// the name is taken, InterruptedError when a stop came: nothing is left then. Memory does not grow with the plan.
void write_plan_file(const std::filesystem::path& path, const Plan& plan, PlanFileInfo& info,
                     const StopSource* stop = nullptr);

struct SavedPlan {
  Plan plan;
  PlanFileInfo info;
};
/// Throws Error{stale} for a file that any byte was changed, added or removed in, that is no plan at all, or that a
/// newer taskctl wrote; usage and access as read_file(); InterruptedError when a stop came. Memory does not grow with
/// the plan.
SavedPlan read_plan_file(const std::filesystem::path& path, const StopSource* stop = nullptr);

/// Throws Error{stale} when the plan's time is over by this machine's clock, or has not come yet.
void require_unexpired(const PlanFileInfo& info, Instant now);

}  // namespace taskctl
