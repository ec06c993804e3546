#include "profile/profile_name.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"

namespace taskctl {

namespace {

constexpr std::size_t k_longest_identifier = 63;  // PostgreSQL's

bool is_word(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

/// "schema=jobs"
std::optional<std::pair<std::string, std::string>> parse_pair(std::string_view text) {
  const std::size_t equal = text.find('=');
  if (equal == std::string_view::npos || !is_word(text.substr(0, equal))) {
    return std::nullopt;
  }
  return std::pair{std::string{text.substr(0, equal)}, std::string{text.substr(equal + 1)}};
}

/// The pairs of "schema=jobs,prefix=my"; none when it is something else, such as the end of a path.
ProfileParameters parse_pairs(std::string_view text) {
  ProfileParameters parameters;
  while (true) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const auto pair = parse_pair(text.substr(0, comma));
    if (!pair) {
      return {};
    }
    parameters.insert(*pair);
    if (comma == text.size()) {
      return parameters;
    }
    text.remove_prefix(comma + 1);
  }
}

}  // namespace

bool ProfileName::is_path() const {
  return name.find('/') != std::string::npos || name.ends_with(".toml");
}

bool is_parameter_value(std::string_view text) {
  return is_word(text) && text.size() <= k_longest_identifier;
}

ProfileName parse_profile_name(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  ProfileParameters parameters = colon == std::string::npos || colon == 0
                                     ? ProfileParameters{}
                                     : parse_pairs(std::string_view{text}.substr(colon + 1));
  if (parameters.empty()) {
    return {text, {}};
  }
  for (const auto& [name, value] : parameters) {
    if (!is_parameter_value(value)) {
      throw Error{ExitCode::usage,
                  fmt::format("'{}' cannot be the parameter '{}' of a profile", printable(value), name),
                  "Letters, digits and underscores are possible, at most 63."};
    }
  }
  return {text.substr(0, colon), std::move(parameters)};
}

}  // namespace taskctl
