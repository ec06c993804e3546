#include "profile/fragment.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "base/text.hpp"
#include "profile/document.hpp"
#include "profile/name_characters.hpp"

namespace taskctl {

namespace {

constexpr std::string_view k_expected_fragment = "one SQL expression";
constexpr std::string_view k_placeholders =
    "Placeholders are :now, :now_text, :finished, :reason, :worker, :first_result and :task.COLUMN.";

bool is_placeholder(std::string_view name) {
  return name == "now" || name == "now_text" || name == "finished" || name == "reason" || name == "worker" ||
         name == "first_result";
}

/// Cuts one fragment. Everything that could end the expression early, start a second one or be a
/// parameter of the database's own is refused, so that text of a profile stays where it is put.
class FragmentScanner {
 public:
  FragmentScanner(std::string_view sql, const SourcePosition& where) : m_sql{sql}, m_where{where} {}

  std::vector<Fragment::Piece> scan() {
    while (m_at < m_sql.size()) {
      step();
    }
    if (!m_open.empty()) {
      fail(fmt::format("'{}' is not closed", m_open.back()));
    }
    flush();
    return std::move(m_pieces);
  }

 private:
  void step() {
    const char c = m_sql[m_at];
    if (c == '\'' || c == '"') {
      copy(quoted_length(m_at, c));
    } else if (c == '(' || c == '[') {
      m_open.push_back(c);
      copy(1);
    } else if (c == ')' || c == ']') {
      close(c);
    } else if (c == ':') {
      colon();
    } else if (c == '{') {
      relation();
    } else if (starts_name(c)) {
      name();
    } else {
      refuse_unsafe(c);
      copy(1);
    }
  }

  void refuse_unsafe(char c) const {
    const char next = peek(1);
    if (c == ';') {
      fail("contains ';'");
    }
    if (c == ',' && m_open.empty()) {
      fail("contains ',' outside of parentheses");
    }
    if ((c == '-' && next == '-') || (c == '/' && next == '*')) {
      fail("contains an SQL comment", "Write a TOML comment (#) above the key instead.");
    }
    if (c == '?') {
      fail("contains '?'", "In PostgreSQL, write jsonb_exists(column, 'key') instead of the operator.");
    }
    if (c == '$' || (c == '@' && starts_name(next))) {
      fail(fmt::format("contains '{}'", c), std::string{k_placeholders});
    }
    if (c == '`') {
      fail("contains '`'", "Write names in double quotes.");
    }
    if (static_cast<unsigned char>(c) < 0x20 && std::isspace(static_cast<unsigned char>(c)) == 0) {
      fail("contains a control character");
    }
  }

  /// A name; E'…' is refused because its backslashes make the end of the text depend on the database.
  void name() {
    std::size_t length = 1;
    while (continues_name(peek(length))) {
      ++length;
    }
    const bool escape_string = length == 1 && (m_sql[m_at] == 'e' || m_sql[m_at] == 'E') && peek(1) == '\'';
    if (escape_string) {
      fail("contains a text in E'…'", "Write it as '…', and a quote in it as two quotes.");
    }
    copy(length);
  }

  /// With both quotes; a doubled quote is part of the text.
  [[nodiscard]] std::size_t quoted_length(std::size_t begin, char quote) const {
    std::size_t at = begin + 1;
    while (at < m_sql.size()) {
      if (m_sql[at] != quote) {
        ++at;
      } else if (at + 1 < m_sql.size() && m_sql[at + 1] == quote) {
        at += 2;
      } else {
        return at + 1 - begin;
      }
    }
    fail(fmt::format("{} is not closed", quote == '"' ? "'\"'" : "a quote (')"));
  }

  void close(char c) {
    const char opening = c == ')' ? '(' : '[';
    if (m_open.empty() || m_open.back() != opening) {
      fail(fmt::format("'{}' closes nothing", c));
    }
    m_open.pop_back();
    copy(1);
  }

  void colon() {
    if (peek(1) == ':') {
      copy(2);
    } else if (starts_name(peek(1))) {
      placeholder();
    } else {
      copy(1);
    }
  }

  void relation() {
    if (!m_sql.substr(m_at).starts_with(k_tasks_relation)) {
      fail("contains '{'", "The only name in braces is {tasks}.");
    }
    m_at += k_tasks_relation.size();
    flush();
    m_pieces.push_back({true, std::string{k_tasks_relation}});
  }

  void placeholder() {
    std::size_t length = 1;
    while (continues_name(peek(length))) {
      ++length;
    }
    std::string found{m_sql.substr(m_at + 1, length - 1)};
    m_at += length;
    if (found == "task") {
      found += "." + task_column();
    } else if (!is_placeholder(found)) {
      fail(fmt::format("':{}' is not a placeholder", printable(found)), std::string{k_placeholders});
    }
    flush();
    m_pieces.push_back({true, std::move(found)});
  }

  /// Behind ":task": `.name` or `."any name"`; returns the column and moves behind it.
  std::string task_column() {
    if (peek(0) == '.' && starts_name(peek(1))) {
      std::size_t length = 1;
      while (continues_name(peek(length))) {
        ++length;
      }
      std::string column{m_sql.substr(m_at + 1, length - 1)};
      m_at += length;
      return column;
    }
    if (peek(0) == '.' && peek(1) == '"') {
      const std::size_t length = quoted_length(m_at + 1, '"');
      std::string column = undouble(m_sql.substr(m_at + 2, length - 2));
      m_at += length + 1;
      if (!column.empty()) {
        return column;
      }
    }
    fail("':task' names no column", "Write :task.COLUMN, for example :task.id.");
  }

  static std::string undouble(std::string_view text) {
    std::string result;
    bool second = false;  // of a doubled quote
    for (const char c : text) {
      second = c == '"' && !second;
      if (c != '"' || second) {
        result += c;
      }
    }
    return result;
  }

  [[nodiscard]] char peek(std::size_t distance) const {
    return m_at + distance < m_sql.size() ? m_sql[m_at + distance] : '\0';
  }

  void copy(std::size_t length) {
    m_text.append(m_sql.substr(m_at, length));
    m_at += length;
  }

  void flush() {
    if (!m_text.empty()) {
      m_pieces.push_back({false, std::move(m_text)});
      m_text.clear();
    }
  }

  [[noreturn]] void fail(const std::string& problem, std::string hint = {}) const {
    fail_at(m_where, fmt::format("{}, expected {}", problem, k_expected_fragment), std::move(hint));
  }

  std::string_view m_sql;
  const SourcePosition& m_where;
  std::size_t m_at = 0;
  std::string m_open;  ///< brackets that wait for their end
  std::string m_text;
  std::vector<Fragment::Piece> m_pieces;
};

}  // namespace

Fragment Fragment::parse(std::string_view sql, SourcePosition where) {
  const bool blank =
      std::all_of(sql.begin(), sql.end(), [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; });
  if (blank) {
    fail_at(where, fmt::format("is empty, expected {}", k_expected_fragment));
  }
  Fragment fragment;
  fragment.m_pieces = FragmentScanner{sql, where}.scan();
  fragment.m_sql = std::string{sql};
  fragment.m_where = std::move(where);
  return fragment;
}

std::string Fragment::render(const std::function<std::string(const std::string&)>& replace) const {
  std::string result;
  for (const Piece& piece : m_pieces) {
    result += piece.placeholder ? replace(piece.text) : piece.text;
  }
  return result;
}

}  // namespace taskctl
