#pragma once

#include <map>
#include <string>
#include <string_view>

namespace taskctl {

/// Values for `{NAME}` in the texts of a profile, by name.
using ProfileParameters = std::map<std::string, std::string>;

/// What is typed to name a profile: "NAME" or a path, and behind it values of its parameters: "pg-boss:schema=jobs",
/// "./queue.toml:prefix=my,schema=app".
struct ProfileName {
  std::string name;              ///< of a built-in profile, or a path
  ProfileParameters parameters;  ///< may be empty
  [[nodiscard]] bool is_path() const;
};

/// Throws Error{usage} for a value that could not be (part of) the name of a schema or a table.
[[nodiscard]] ProfileName parse_profile_name(const std::string& text);

/// Letters, digits and underscores, at most 63: it stands in the middle of SQL.
[[nodiscard]] bool is_parameter_value(std::string_view text);

}  // namespace taskctl
