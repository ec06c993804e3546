#pragma once

#include <string>
#include <vector>

#include "cli/command.hpp"

namespace taskctl {

/// Names of the manual pages, from their sources in man/: "taskctl.1", "taskctl-list-stuck.1", "taskctl-profile.5".
[[nodiscard]] std::vector<std::string> manual_page_names();

/// What may be typed after `taskctl help`: "taskctl", "list-stuck", "profile", "profile.5".
[[nodiscard]] std::vector<std::string> manual_topics();

/// The page as man(7) source: prose of man/NAME.md; synopsis, options, exit codes and environment as declared.
/// Throws Error{usage} when there is no such page, Error{bug} when its source asks for what does not exist.
[[nodiscard]] std::string manual_page(const std::string& name, const std::vector<Command>& commands);

/// The prose of a page as it stands in its source, for whoever has no man.
[[nodiscard]] std::string manual_source(const std::string& name);

/// The page that `taskctl help TOPIC` means: "list-stuck", "profile.5", "profile(5)", "taskctl-config.5".
/// Throws Error{usage} with the nearest topic when there is none.
[[nodiscard]] std::string find_manual_page(const std::string& topic);

}  // namespace taskctl
