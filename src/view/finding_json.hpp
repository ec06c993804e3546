#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "model/finding.hpp"
#include "store/value_json.hpp"

namespace taskctl {

// Findings and their parts as JSON that gives them back bit for bit, for saved plans. (view/json.hpp has what commands
// print, which cannot be read back.) Every read_ throws Error{mismatch} or a JSON exception for anything else.

/// RFC 3339; microseconds since 1970 outside of the years 1 to 9999.
[[nodiscard]] StoredJson stored_instant(Instant at);
[[nodiscard]] Instant read_stored_instant(const StoredJson& json);

[[nodiscard]] StoredJson stored_texts(const std::vector<std::string>& texts);
[[nodiscard]] std::vector<std::string> read_stored_texts(const StoredJson& json);

[[nodiscard]] StoredJson stored_optional_text(const std::optional<std::string>& text);
[[nodiscard]] std::optional<std::string> read_stored_optional_text(const StoredJson& json);

[[nodiscard]] StoredJson stored_finding(const Finding& finding);
[[nodiscard]] Finding read_stored_finding(const StoredJson& json);

/// The enumerator whose to_string() this is.
template <typename Enum>
[[nodiscard]] Enum read_enum(const StoredJson& json) {
  const std::string text = json.get<std::string>();
  for (int number = 0;; ++number) {
    const auto value = static_cast<Enum>(number);
    if (to_string(value).empty()) {
      throw Error{ExitCode::mismatch, "'" + text + "' is not a word that taskctl wrote"};
    }
    if (to_string(value) == text) {
      return value;
    }
  }
}

}  // namespace taskctl
