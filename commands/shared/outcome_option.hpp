#pragma once

#include <optional>

#include "cli/options.hpp"
#include "profile/profile.hpp"

namespace taskctl {

/// --outcome: what becomes of the tasks, instead of evidence and the profile's defaults.
void declare_outcome(CLI::App& app, std::optional<Outcome>& outcome);

/// Throws Error{usage} naming the outcomes that the profile has operations for.
void require_outcome(const Profile& profile, const std::optional<Outcome>& outcome);

}  // namespace taskctl
