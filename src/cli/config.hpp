#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/options.hpp"
#include "profile/source.hpp"

namespace taskctl {

/// A setting and where it came from: "command line", "TASKCTL_DB", "/etc/taskctl/config.toml:4", "default".
template <typename T>
struct Setting {
  T value{};
  std::string origin = "default";
  [[nodiscard]] bool given() const { return origin != "default"; }
};

/// One [target.NAME] of a configuration file.
struct TargetConfig {
  std::string name;
  Setting<std::string> db, profile, password_file, backup_folder, journal_schema;
  Setting<std::optional<Duration>> max_age, reap, settle, cancel_grace;
  Setting<std::optional<std::size_t>> max_changes;
  Setting<bool> is_protected;
};

/// Everything the configuration says for this invocation, resolved by precedence (design 4.15).
struct ResolvedConfig {
  TargetConfig target;                          ///< the chosen one; name empty when none is named
  std::map<std::string, TargetConfig> targets;  ///< all that the files define
  std::vector<std::string> files;               ///< read, in order of precedence
  std::vector<std::string> ignored;             ///< "./taskctl.toml: owned by another user", with the reason
};

/// Reads command line, TASKCTL_*, configuration files and (for reading commands) DATABASE_URL.
/// Throws Error{usage} naming file and line; Error{refused} when a file with a password is readable by others.
ResolvedConfig resolve_config(const TargetOptions& options, bool writes);

}  // namespace taskctl
