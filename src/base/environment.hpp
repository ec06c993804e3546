#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace taskctl {

/// The only place that calls getenv. nullopt when unset or empty.
[[nodiscard]] std::optional<std::string> environment(const char* name);

/// $XDG_CONFIG_HOME/taskctl or ~/.config/taskctl.
[[nodiscard]] std::filesystem::path config_folder();
/// $XDG_STATE_HOME/taskctl or ~/.local/state/taskctl.
[[nodiscard]] std::filesystem::path state_folder();

/// Who runs this process, for journals and lock files.
struct Author {
  std::string user;       ///< of the effective uid; the number when it has no name
  std::string sudo_user;  ///< $SUDO_USER when the process is root; else empty
  std::string host;
  int pid = 0;
};
[[nodiscard]] Author current_author();

}  // namespace taskctl
