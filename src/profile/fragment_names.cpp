#include "profile/fragment_names.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>
#include <utility>
#include <vector>

#include "profile/name_characters.hpp"

namespace taskctl {

namespace {

struct Token {
  enum class Kind { word, quoted, sign };
  Kind kind = Kind::sign;
  std::string text;  ///< a word in lower case, a quoted name without its quotes, or one character

  [[nodiscard]] bool is_name() const { return kind != Kind::sign; }
  [[nodiscard]] bool is_word(std::string_view word) const { return kind == Kind::word && text == word; }
  [[nodiscard]] bool is_sign(char sign) const { return kind == Kind::sign && text[0] == sign; }
};

/// Cuts SQL without comments, as Fragment::parse() leaves it.
class Tokens {
 public:
  explicit Tokens(std::string_view sql) : m_sql{sql} {}

  std::vector<Token> all() {
    std::vector<Token> tokens;
    while (m_at < m_sql.size()) {
      const char c = m_sql[m_at];
      if (c == '\'') {
        quoted('\'');
        tokens.push_back({Token::Kind::sign, "'"});
      } else if (c == '"') {
        tokens.push_back({Token::Kind::quoted, quoted('"')});
      } else if (starts_name(c)) {
        tokens.push_back({Token::Kind::word, word()});
      } else {
        if (std::isspace(static_cast<unsigned char>(c)) == 0) {
          tokens.push_back({Token::Kind::sign, std::string(1, c)});
        }
        ++m_at;
      }
    }
    return tokens;
  }

 private:
  /// The text between the quotes, doubled ones as one.
  std::string quoted(char quote) {
    std::string text;
    for (++m_at; m_at < m_sql.size(); ++m_at) {
      if (m_sql[m_at] == quote) {
        ++m_at;
        if (m_at == m_sql.size() || m_sql[m_at] != quote) {
          break;
        }
      }
      text += m_sql[m_at];
    }
    return text;
  }

  std::string word() {
    const std::size_t begin = m_at;
    while (m_at < m_sql.size() && continues_name(m_sql[m_at])) {
      ++m_at;
    }
    std::string text{m_sql.substr(begin, m_at - begin)};
    for (char& c : text) {
      c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;  // as PostgreSQL: other letters stay
    }
    return text;
  }

  std::string_view m_sql;
  std::size_t m_at = 0;
};

constexpr auto k_ends_of_from =
    std::to_array<std::string_view>({"where", "group", "having", "window", "order", "limit", "offset", "fetch", "union",
                                     "intersect", "except", "select"});

/// Walks the tokens: which names stand where a table can stand, and which before a parenthesis?
class NameReader {
 public:
  explicit NameReader(std::vector<Token> tokens) : m_tokens{std::move(tokens)} {}

  FragmentNames read() {
    while (m_at < m_tokens.size()) {
      const Token& token = m_tokens[m_at];
      if (token.is_name()) {
        word_or_name();
      } else {
        sign(token.text[0]);
        ++m_at;
      }
    }
    return std::move(m_names);
  }

 private:
  void sign(char c) {
    if (c == '(') {
      m_outer.push_back(m_in_from);
      m_in_from = false;
    } else if (c == ')' && !m_outer.empty()) {
      m_in_from = m_outer.back();
      m_outer.pop_back();
    }
    m_table_next = c == ',' && m_in_from;
  }

  void word_or_name() {
    const Token& token = m_tokens[m_at];
    if (token.is_word("from") || token.is_word("join")) {
      m_in_from = true;
      m_table_next = true;
      ++m_at;
    } else if (token.kind == Token::Kind::word &&
               std::find(k_ends_of_from.begin(), k_ends_of_from.end(), token.text) != k_ends_of_from.end()) {
      m_in_from = false;
      m_table_next = false;
      ++m_at;
    } else if (token.is_word("only") || token.is_word("lateral")) {
      ++m_at;
    } else {
      name();
    }
  }

  /// "name" or "schema.name"; of a longer chain the last two.
  void name() {
    std::string text = m_tokens[m_at++].text;
    while (m_at + 1 < m_tokens.size() && m_tokens[m_at].is_sign('.') && m_tokens[m_at + 1].is_name()) {
      text = text.substr(text.find('.') + 1) + "." + m_tokens[m_at + 1].text;
      m_at += 2;
    }
    if (m_at < m_tokens.size() && m_tokens[m_at].is_sign('(')) {
      m_names.functions.insert(std::move(text));
    } else if (m_table_next) {
      m_names.relations.insert(std::move(text));
    }
    m_table_next = false;
  }

  std::vector<Token> m_tokens;
  std::size_t m_at = 0;
  bool m_in_from = false;
  bool m_table_next = false;
  std::vector<bool> m_outer;  ///< m_in_from of the parentheses around
  FragmentNames m_names;
};

}  // namespace

FragmentNames names_in(const Fragment& fragment) {
  return NameReader{Tokens{fragment.sql()}.all()}.read();
}

}  // namespace taskctl
