#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "profile/profile.hpp"

namespace re2 {
class RE2;
}

namespace taskctl {

/// Can the text be used as a regular expression? (RE2: no back references, so that time is linear in the text.)
[[nodiscard]] bool is_regular_expression(const std::string& text);

/// The patterns of one [[evidence]] entry, ready to be tried. A literal of a result must be the whole value, without
/// blanks around it; everywhere else a literal stands anywhere in the text. A regular expression is always searched
/// for.
class EvidenceMatcher {
 public:
  struct Match {
    std::size_t pattern = 0;  ///< the first, in the profile's order, that fits
    std::size_t begin = 0;    ///< where in the text
    std::size_t length = 0;
  };

  explicit EvidenceMatcher(const EvidenceSource& source);
  [[nodiscard]] std::optional<Match> find(std::string_view text) const;

 private:
  [[nodiscard]] std::optional<Match> try_pattern(std::size_t index, std::string_view text) const;

  const EvidenceSource& m_source;
  std::vector<std::shared_ptr<const re2::RE2>> m_expressions;  ///< one per pattern when they are regular expressions
};

/// What is left of the text without blanks and control characters at its ends.
[[nodiscard]] std::string_view trimmed(std::string_view text);

}  // namespace taskctl
