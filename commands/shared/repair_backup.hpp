#pragma once

#include <optional>

#include "cli/context.hpp"
#include "cli/options.hpp"
#include "engine/plan.hpp"
#include "store/backup.hpp"

namespace taskctl {

/// The backup before a repair (design 4.7): SQLite the whole file, PostgreSQL what --backup says. nullopt with
/// --no-backup or --backup none. A failure throws Error{backup}: the repair must not start.
std::optional<BackupResult> back_up_before_repair(Context& context, Session& session, const Plan& plan,
                                                  const TargetOptions& target, const ChangeOptions& change);

}  // namespace taskctl
