#pragma once

#include <map>
#include <string>

#include "cli/config.hpp"
#include "cli/owned_file.hpp"

namespace taskctl {

/// One configuration file as read.
struct ConfigFile {
  Setting<std::string> default_target;          ///< `target = "name"`
  std::map<std::string, TargetConfig> targets;  ///< [target.NAME]
};

/// Throws Error{usage} "FILE:LINE: …" for broken TOML, an unknown key or a bad value; Error{refused} when it holds a
/// password and others can read it. Relative paths in it are taken from the file's folder.
ConfigFile parse_config_file(const OwnedFile& file, const std::string& path);

}  // namespace taskctl
