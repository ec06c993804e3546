#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/lister.hpp"
#include "profile/profile.hpp"
#include "store/catalog.hpp"
#include "store/connection.hpp"
#include "store/schema_version.hpp"
#include "store/task_store.hpp"

namespace taskctl {

/// The only built-in profile whose tables and columns are all there. Throws Error{mismatch} when none fits (with the
/// nearest miss) or when several do (naming them), with the hint to give --profile.
Profile choose_profile(Connection& connection);

/// The first of a profile's variants whose tables and columns are all there; when none fits, the one that comes
/// nearest. Throws Error{mismatch} when no variant is for this engine.
Profile choose_variant(Connection& connection, std::vector<Profile> variants);

/// What `profile check` tells: how a profile reads this database.
struct ProfileCheck {
  std::vector<SchemaProblem> problems;  ///< empty: it fits
  struct Reading {
    std::string property, source, encoding;
  };
  std::vector<Reading> readings;                ///< "started" ← "started_at", "text T, Asia/Shanghai"
  std::vector<StatusCount> statuses;            ///< unmapped ones have no class
  std::vector<std::string> missing_privileges;  ///< "UPDATE (status) on workspace_tasks"
  std::vector<std::string> row_security;        ///< tables whose policies apply to this role
  std::vector<std::string> triggers;
  SchemaVersion version;
  std::optional<ListSummary> found;  ///< what list-stuck would say; nullopt where it could not be asked
  std::string note;                  ///< of the safety class, e.g. read-only
};
/// `sightings`: of a profile that counts from when a task was first seen; nullptr: as if none had been seen.
ProfileCheck check_profile(Connection& connection, const Profile& profile, const ListRequest& request,
                           Sightings* sightings = nullptr);

}  // namespace taskctl
