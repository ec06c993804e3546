#include "store/postgres/statement_kind.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

namespace taskctl::postgres {
namespace {

bool is_name_character(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return std::isalnum(byte) != 0 || c == '_' || byte >= 0x80;
}

/// Walks over a statement token by token, stepping over comments, strings and quoted names.
class Scanner {
 public:
  explicit Scanner(std::string_view sql) : m_sql{sql} {}

  /// The next word outside parentheses in upper case; empty at the end.
  std::string next_word() {
    while (m_at < m_sql.size()) {
      const char c = m_sql[m_at];
      if (starts("--")) {
        skip_to("\n");
      } else if (starts("/*")) {
        skip_to("*/");
      } else if (c == '\'' || c == '"') {
        ++m_at;
        skip_to(std::string_view{&c, 1});
      } else if (c == '$') {
        skip_dollar();
      } else if (is_name_character(c)) {
        std::string word = take_word();
        if (m_depth == 0) {
          return word;
        }
      } else {
        m_depth += c == '(' ? 1 : c == ')' ? -1 : 0;
        ++m_at;
      }
    }
    return {};
  }

 private:
  [[nodiscard]] bool starts(std::string_view text) const { return m_sql.substr(m_at).starts_with(text); }

  void skip_to(std::string_view end) {
    const std::size_t found = m_sql.find(end, m_at);
    m_at = found == std::string_view::npos ? m_sql.size() : found + end.size();
  }

  /// A parameter ($1) or a dollar-quoted string ($tag$…$tag$).
  void skip_dollar() {
    std::size_t end = m_at + 1;
    while (end < m_sql.size() && is_name_character(m_sql[end])) {
      ++end;
    }
    const bool quoted = end < m_sql.size() && m_sql[end] == '$';
    const std::string_view tag = m_sql.substr(m_at, end + 1 - m_at);
    m_at = quoted ? end + 1 : end;
    if (quoted) {
      skip_to(tag);
    }
  }

  std::string take_word() {
    std::string word;
    while (m_at < m_sql.size() && is_name_character(m_sql[m_at])) {
      word += static_cast<char>(std::toupper(static_cast<unsigned char>(m_sql[m_at++])));
    }
    return word;
  }

  std::string_view m_sql;
  std::size_t m_at = 0;
  int m_depth = 0;
};

}  // namespace

bool changes_rows(std::string_view sql) {
  static constexpr auto k_writes = std::to_array<std::string_view>({"INSERT", "UPDATE", "DELETE", "MERGE"});
  static constexpr auto k_reads = std::to_array<std::string_view>({"SELECT", "VALUES", "TABLE"});
  Scanner scanner{sql};
  std::string word = scanner.next_word();
  const bool with = word == "WITH";
  while (!word.empty()) {
    if (std::find(k_writes.begin(), k_writes.end(), word) != k_writes.end()) {
      return true;
    }
    if (!with || std::find(k_reads.begin(), k_reads.end(), word) != k_reads.end()) {
      return false;
    }
    word = scanner.next_word();
  }
  return false;
}

}  // namespace taskctl::postgres
