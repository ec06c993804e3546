#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "profile/profile.hpp"

namespace taskctl {

/// Reads one profile. Throws Error{usage} "FILE:LINE:COLUMN: key 'K': …, expected …" for broken TOML, unknown or
/// missing keys, wrong types, a status in two classes, a naive or zoneless text column without a zone,
/// outcomes without operations where a default needs them, fragments that are not one expression.
Profile parse_profile(std::string_view toml, const std::string& file);

/// parse_profile of a file, at most 1 MiB. Throws Error{usage} when it cannot be read.
Profile load_profile_file(const std::filesystem::path& path);

/// Names of the profiles that are compiled in, sorted.
std::vector<std::string> builtin_profile_names();

/// Text of a built-in profile. Throws Error{usage} with the nearest name when there is none.
std::string_view builtin_profile_text(std::string_view name);

/// NAME of a built-in profile, or a path (contains '/' or ends in ".toml").
Profile find_profile(const std::string& name_or_path);

}  // namespace taskctl
