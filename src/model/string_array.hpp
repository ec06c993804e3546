#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace taskctl {

/// A JSON array of strings, without blanks. Quotes, backslashes and control characters are escaped;
/// every other byte stands as it is, invalid UTF-8 too, so that parse_string_array gives back the same bytes.
[[nodiscard]] std::string format_string_array(const std::vector<std::string>& parts);

/// Reads a JSON array that holds nothing but strings; nullopt for any other text. Blanks between tokens
/// are allowed as in JSON; raw control characters and lone surrogates are not.
[[nodiscard]] std::optional<std::vector<std::string>> parse_string_array(std::string_view text);

}  // namespace taskctl
