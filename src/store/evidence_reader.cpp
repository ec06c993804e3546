#include "store/evidence_reader.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "store/facts_decoder.hpp"
#include "store/row_values.hpp"

namespace taskctl {

namespace {

using Kind = EvidenceSource::Kind;

constexpr std::size_t k_excerpt_width = 80;
/// A reason longer than this is nothing that anybody reads.
constexpr std::size_t k_longest_text = 4096;

bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U;
}

/// The text from `begin` on, or from the next whole character.
std::string_view from_character(std::string_view text, std::size_t begin) {
  while (begin < text.size() && continues_character(text[begin])) {
    ++begin;
  }
  return text.substr(begin);
}

/// The line in which something was found; of a long one the piece around it.
std::string excerpt_of(std::string_view text, const EvidenceMatcher::Match& match) {
  constexpr std::size_t k_before = k_excerpt_width / 2;
  const std::size_t line_feed = match.begin == 0 ? std::string_view::npos : text.rfind('\n', match.begin - 1);
  const std::size_t line_begin = line_feed == std::string_view::npos ? 0 : line_feed + 1;
  const std::size_t line_end = std::min(text.find('\n', match.begin), text.size());
  const bool cut = match.begin + match.length - line_begin > k_excerpt_width && match.begin - line_begin > k_before;
  const std::size_t begin = cut ? match.begin - k_before : line_begin;
  const std::string_view piece = trimmed(from_character(text.substr(0, line_end), begin));
  return (cut ? "…" : "") + truncate_to_width(printable(piece.substr(0, 4 * k_excerpt_width)), k_excerpt_width);
}

std::string reason_in(std::string_view text) {
  std::string_view whole = trimmed(text);
  if (whole.size() > k_longest_text) {
    whole = from_character(whole, whole.size() - k_longest_text);
  }
  return is_valid_utf8(whole) && whole.find('\0') == std::string_view::npos ? std::string{whole} : printable(whole);
}

}  // namespace

EvidenceReader::EvidenceReader(Connection& connection, const Profile& profile, const Schema& schema, std::size_t index)
    : m_connection{connection},
      m_profile{profile},
      m_schema{schema},
      m_index{index},
      m_source{profile.evidence.at(index)},
      m_table{m_source.table.empty() ? nullptr : schema.find(m_source.table)},
      m_matcher{m_source} {}

/// Why what is found may not be all there is; empty: nothing is hidden.
std::string EvidenceReader::problem() const {
  if (m_table != nullptr && !m_table->can_select) {
    return fmt::format("the role may not read '{}'", m_source.table);
  }
  if (m_table != nullptr && m_table->row_security) {
    return fmt::format("row-level security hides rows of '{}'", m_source.table);
  }
  return {};
}

void EvidenceReader::read(std::span<TaskFacts* const> tasks) {
  std::vector<TaskKey> keys;
  const std::string hindrance = problem();
  for (TaskFacts* task : tasks) {
    task->evidence.resize(m_profile.evidence.size());
    EvidenceFact& fact = task->evidence[m_index];
    fact = {.read = true, .problem = hindrance};
    if (m_asked.emplace(task->task.key, Asked{.fact = &fact}).second) {
      keys.push_back(task->task.key);
    }
  }
  if (m_source.kind == Kind::cancel_request || keys.empty() || (m_table != nullptr && !m_table->can_select)) {
    return;
  }
  const Dialect dialect{m_connection.engine()};
  const std::size_t part = evidence_keys_per_statement(m_schema, dialect, m_source, keys.size());
  const std::span<const TaskKey> all{keys};
  for (std::size_t begin = 0; begin < keys.size(); begin += part) {
    const EvidenceStatement evidence = render_evidence(m_profile, m_schema, dialect, m_source,
                                                       all.subspan(begin, std::min(part, keys.size() - begin)));
    const RowSink sink = [&](const Row& row) { take(evidence, row); };
    if (m_connection.in_transaction()) {
      m_connection.stream(evidence.statement.sql, evidence.statement.parameters, sink);
    } else {
      m_connection.run(evidence.statement.sql, evidence.statement.parameters, sink);
    }
  }
}

void EvidenceReader::take(const EvidenceStatement& layout, const Row& row) {
  TaskKey key;
  for (std::size_t i = 0; i < layout.task_key_count; ++i) {
    key.parts.push_back(text_of(row[i]).value_or(""));
  }
  const auto found = m_asked.find(key);
  if (found == m_asked.end()) {
    return;
  }
  Asked& asked = found->second;
  const std::int64_t rank = integer_of(row[layout.rank]).value_or(++asked.rows);
  EvidenceFact& fact = *asked.fact;
  if (m_source.kind == Kind::result) {
    fact.several = fact.several || rank > 1;
    if (rank == 1) {
      take_row(layout, row, fact);
      fact.row = row_name(layout, row);
    }
    return;
  }
  if (asked.rank == 0 || rank < asked.rank) {
    EvidenceFact candidate{.read = true, .problem = fact.problem};
    take_row(layout, row, candidate);
    if (candidate.pattern) {
      candidate.row = row_name(layout, row);
      fact = std::move(candidate);
      asked.rank = rank;
    }
  }
}

void EvidenceReader::take_row(const EvidenceStatement& layout, const Row& row, EvidenceFact& fact) {
  const std::string text = text_of(row[layout.text]).value_or("");
  const std::optional<EvidenceMatcher::Match> match = m_matcher.find(text);
  fact.excerpt = excerpt_of(text, match.value_or(EvidenceMatcher::Match{}));
  if (match) {
    fact.pattern = match->pattern;
    fact.text = m_source.patterns[match->pattern].is_reason ? reason_in(text) : std::string{};
  }
  if (!m_source.finished.empty()) {
    fact.finished =
        decode_time(row[layout.finished], encoding_or_default(m_profile, m_source.table, m_source.finished));
  }
}

/// "id=9012"; of a table without a key just "a row", of a column nothing.
std::string EvidenceReader::row_name(const EvidenceStatement& layout, const Row& row) const {
  if (m_table == nullptr) {
    return {};
  }
  RowKey key{layout.row_key_columns, {}};
  for (std::size_t i = 0; i < layout.row_key_columns.size(); ++i) {
    key.values.push_back(row[layout.row_key + i]);
  }
  return key.columns.empty() ? "a row" : printable(key.display());
}

}  // namespace taskctl
