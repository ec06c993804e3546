#pragma once

#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "profile/profile.hpp"
#include "profile/profile_name.hpp"

namespace taskctl {

/// What is found out about a profile, or a variant, before the rest of it is read.
struct ProfileOutline {
  std::set<Engine> engines;
  std::string table;  ///< of the tasks
};
using OutlineFilter = std::function<bool(const ProfileOutline&)>;

/// Reads the text of a profile: one Profile for each [[variant]] in the order of the file, or the only one. Throws
/// Error{usage} "FILE:LINE:COLUMN: key 'K': …, expected …" for broken TOML, unknown or missing keys, wrong types, a
/// status in two classes, a naive or zoneless text column without a zone, outcomes without operations where a default
/// needs them, fragments that are not one expression, a parameter that the profile does not have. With `wanted`:
/// nothing when it wants none of them, found out without reading more than their outlines.
std::vector<Profile> parse_profiles(std::string_view toml, const std::string& file,
                                    const ProfileParameters& parameters = {}, const OutlineFilter& wanted = {});

/// The first of parse_profiles().
Profile parse_profile(std::string_view toml, const std::string& file);

/// parse_profiles of a file, at most 1 MiB. Throws Error{usage} when it cannot be read.
std::vector<Profile> load_profile_file(const std::filesystem::path& path, const ProfileParameters& parameters = {});

/// Names of the profiles that are compiled in, sorted.
std::vector<std::string> builtin_profile_names();

/// Text of a built-in profile. Throws Error{usage} with the nearest name when there is none.
std::string_view builtin_profile_text(std::string_view name);

/// parse_profiles() of a built-in profile.
std::vector<Profile> builtin_profiles(std::string_view name, const OutlineFilter& wanted);

/// What parse_profile_name() takes: a built-in profile or a file, and its variants.
std::vector<Profile> find_profiles(const std::string& wanted);

/// The first of find_profiles().
Profile find_profile(const std::string& wanted);

}  // namespace taskctl
