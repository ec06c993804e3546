#include "model/string_array.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstdint>

#include "base/text.hpp"

namespace taskctl {

namespace {

/// Escapes with a letter of their own, in JSON order: letter, then the character it stands for.
constexpr std::string_view k_letters = "\"\\/bfnrt";
constexpr std::string_view k_characters = "\"\\/\b\f\n\r\t";

void append_escaped(std::string& out, char character) {
  const std::size_t letter = k_characters.find(character);
  if (character != '/' && letter != std::string_view::npos) {
    out += {'\\', k_letters[letter]};
  } else if (static_cast<unsigned char>(character) < 0x20) {
    out += fmt::format("\\u{:04x}", static_cast<unsigned>(character));
  } else {
    out += character;
  }
}

class Parser {
 public:
  explicit Parser(std::string_view text) : m_rest{text} {}

  std::optional<std::vector<std::string>> array() {
    std::vector<std::string> parts;
    if (!token('[')) {
      return std::nullopt;
    }
    if (!token(']')) {
      do {
        if (!token('"') || !string(parts.emplace_back())) {
          return std::nullopt;
        }
      } while (token(','));
      if (!token(']')) {
        return std::nullopt;
      }
    }
    skip_blanks();
    return m_rest.empty() ? std::optional{std::move(parts)} : std::nullopt;
  }

 private:
  void skip_blanks() {
    const std::size_t first = m_rest.find_first_not_of(" \t\r\n");
    m_rest.remove_prefix(first == std::string_view::npos ? m_rest.size() : first);
  }

  bool take(char expected) {
    if (m_rest.empty() || m_rest.front() != expected) {
      return false;
    }
    m_rest.remove_prefix(1);
    return true;
  }

  bool token(char expected) {
    skip_blanks();
    return take(expected);
  }

  /// The rest of a string after its opening quote.
  bool string(std::string& out) {
    while (!m_rest.empty()) {
      const char character = m_rest.front();
      m_rest.remove_prefix(1);
      if (character == '"') {
        return true;
      }
      if (static_cast<unsigned char>(character) < 0x20 || (character == '\\' && !escape(out))) {
        return false;
      }
      if (character != '\\') {
        out += character;
      }
    }
    return false;
  }

  /// What follows a backslash.
  bool escape(std::string& out) {
    if (m_rest.empty()) {
      return false;
    }
    const char letter = m_rest.front();
    m_rest.remove_prefix(1);
    if (letter == 'u') {
      return code_point(out);
    }
    const std::size_t known = k_letters.find(letter);
    if (known == std::string_view::npos) {
      return false;
    }
    out += k_characters[known];
    return true;
  }

  bool code_point(std::string& out) {
    const std::optional<std::uint32_t> first = code_unit();
    if (!first || (*first >= 0xdc00 && *first <= 0xdfff)) {
      return false;
    }
    if (*first < 0xd800 || *first > 0xdbff) {
      append_utf8(out, *first);
      return true;
    }
    if (!take('\\') || !take('u')) {
      return false;
    }
    const std::optional<std::uint32_t> second = code_unit();
    if (!second || *second < 0xdc00 || *second > 0xdfff) {
      return false;
    }
    append_utf8(out, 0x10000U + ((*first - 0xd800U) << 10U) + (*second - 0xdc00U));
    return true;
  }

  /// Four hexadecimal digits.
  std::optional<std::uint32_t> code_unit() {
    const std::string_view digits = m_rest.substr(0, 4);
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (digits.size() != 4 || error != std::errc{} || end != digits.data() + digits.size()) {
      return std::nullopt;
    }
    m_rest.remove_prefix(4);
    return value;
  }

  std::string_view m_rest;
};

}  // namespace

std::string format_string_array(const std::vector<std::string>& parts) {
  std::string out = "[";
  for (const std::string& part : parts) {
    out += out.size() > 1 ? ",\"" : "\"";
    for (const char character : part) {
      append_escaped(out, character);
    }
    out += '"';
  }
  return out + "]";
}

std::optional<std::vector<std::string>> parse_string_array(std::string_view text) {
  return Parser{text}.array();
}

}  // namespace taskctl
