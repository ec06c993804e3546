#include "profile/evidence_matcher.hpp"

#include <re2/re2.h>

namespace taskctl {

namespace {

re2::RE2::Options quiet_options() {
  re2::RE2::Options options;
  options.set_log_errors(false);
  return options;
}

}  // namespace

bool is_regular_expression(const std::string& text) {
  return re2::RE2{text, quiet_options()}.ok();
}

std::string_view trimmed(std::string_view text) {
  const auto is_blank = [](char c) { return static_cast<unsigned char>(c) <= 0x20; };
  while (!text.empty() && is_blank(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && is_blank(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

EvidenceMatcher::EvidenceMatcher(const EvidenceSource& source) : m_source{source} {
  for (const EvidencePattern& pattern : source.patterns) {
    if (source.regex) {
      m_expressions.push_back(std::make_shared<const re2::RE2>(pattern.text, quiet_options()));
    }
  }
}

std::optional<EvidenceMatcher::Match> EvidenceMatcher::find(std::string_view text) const {
  for (std::size_t i = 0; i < m_source.patterns.size(); ++i) {
    if (const std::optional<Match> match = try_pattern(i, text)) {
      return match;
    }
  }
  return std::nullopt;
}

std::optional<EvidenceMatcher::Match> EvidenceMatcher::try_pattern(std::size_t index, std::string_view text) const {
  if (m_source.regex) {
    const re2::StringPiece whole{text.data(), text.size()};
    re2::StringPiece found;
    if (!m_expressions[index]->Match(whole, 0, whole.size(), re2::RE2::UNANCHORED, &found, 1)) {
      return std::nullopt;
    }
    return Match{index, static_cast<std::size_t>(found.data() - whole.data()), found.size()};
  }
  const std::string& literal = m_source.patterns[index].text;
  if (m_source.kind == EvidenceSource::Kind::result) {
    return trimmed(text) == literal ? std::optional{Match{index, 0, text.size()}} : std::nullopt;
  }
  const std::size_t begin = text.find(literal);
  return begin == std::string_view::npos ? std::nullopt : std::optional{Match{index, begin, literal.size()}};
}

}  // namespace taskctl
