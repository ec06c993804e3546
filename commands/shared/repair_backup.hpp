#pragma once

#include <filesystem>
#include <optional>

#include "cli/context.hpp"
#include "cli/options.hpp"
#include "engine/plan.hpp"
#include "store/backup.hpp"

namespace taskctl {

/// Creates a missing backup folder (mode 0700) whose parent exists. A missing parent is left to the driver's error: it
/// may be a disk that is not mounted, and backups must not go somewhere else then.
void require_backup_folder(const std::filesystem::path& folder);

/// The backup before a repair (design 4.7): SQLite the whole file, PostgreSQL what --backup says. nullopt with
/// --no-backup or --backup none. A failure throws Error{backup}: the repair must not start.
std::optional<BackupResult> back_up_before_repair(Context& context, Session& session, const Plan& plan,
                                                  const TargetOptions& target, const ChangeOptions& change);

}  // namespace taskctl
