#pragma once

#include <optional>

#include "cli/options.hpp"
#include "profile/profile.hpp"

namespace taskctl {

/// --outcome: what becomes of the tasks, instead of evidence and the profile's defaults.
void declare_outcome(CLI::App& app, std::optional<Outcome>& outcome);

/// --overdue or --dead: what becomes of the tasks of one rule when no evidence decides, instead of the profile's
/// default.
void declare_rule_outcome(CLI::App& app, const std::string& name, const std::string& description,
                          std::optional<Outcome>& outcome);

/// --no-evidence: as if the profile declared none.
void declare_no_evidence(CLI::App& app, bool& no_evidence);

/// Throws Error{usage} naming the outcomes that the profile has operations for.
void require_outcome(const Profile& profile, const std::optional<Outcome>& outcome,
                     const std::string& option = "--outcome");

}  // namespace taskctl
