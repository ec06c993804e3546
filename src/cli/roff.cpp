#include "cli/roff.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <sstream>
#include <utility>

#include "base/error.hpp"

namespace taskctl {

namespace {

constexpr std::string_view k_definition = ":   ";
constexpr std::string_view k_fence = "```";

// Code point of the character that begins at `at`, which is moved behind it. The sources are UTF-8 of ours.
std::uint32_t next_character(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const unsigned first = byte(at);
  const std::size_t length = first < 0x80U ? 1 : first < 0xE0U ? 2 : first < 0xF0U ? 3 : 4;
  constexpr std::array<unsigned, 5> mask{0, 0x7FU, 0x1FU, 0x0FU, 0x07U};
  std::uint32_t code = first & mask.at(length);
  for (std::size_t i = 1; i < length; ++i) {
    code = (code << 6U) | (byte(at + i) & 0x3FU);
  }
  at += length;
  return code;
}

std::string escaped(std::string_view text, bool code) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const std::uint32_t character = next_character(text, at);
    if (character == '\\') {
      result += "\\e";
    } else if (code && character == '-') {
      result += "\\-";
    } else if (code && (character == '\'' || character == '`' || character == '^' || character == '~')) {
      // roff makes typographic ones of these.
      constexpr std::array<std::pair<char, std::string_view>, 4> names{
          {{'\'', "\\(aq"}, {'`', "\\(ga"}, {'^', "\\(ha"}, {'~', "\\(ti"}}};
      for (const auto& [plain, name] : names) {
        result += character == static_cast<unsigned char>(plain) ? name : "";
      }
    } else if (character < 0x80U) {
      result += static_cast<char>(character);
    } else {
      result += fmt::format("\\[u{:04X}]", character);
    }
  }
  const bool control = !result.empty() && (result.front() == '.' || result.front() == '\'');
  return control ? "\\&" + result : result;
}

// "[name](where)" becomes "name".
std::string without_links(std::string text) {
  for (std::size_t at = text.find("]("); at != std::string::npos; at = text.find("](", at)) {
    const std::size_t begin = text.rfind('[', at);
    const std::size_t end = text.find(')', at);
    if (begin == std::string::npos || end == std::string::npos) {
      break;
    }
    text.replace(begin, end - begin + 1, text.substr(begin + 1, at - begin - 1));
    at = begin;
  }
  return text;
}

// Takes `code`, **bold** and *emphasis* apart; everything else is text.
std::string inline_text(const std::string& markdown) {
  const std::string linkless = without_links(markdown);
  const std::string_view text = linkless;
  const std::array<std::pair<std::string_view, char>, 3> marks{{{"`", 'B'}, {"**", 'B'}, {"*", 'I'}}};
  std::string result;
  std::string plain;
  for (std::size_t at = 0; at < text.size();) {
    bool marked = false;
    for (const auto& [mark, font] : marks) {
      const std::size_t from = at + mark.size();
      const std::size_t end = text.compare(at, mark.size(), mark) == 0 ? text.find(mark, from) : std::string_view::npos;
      if (end != std::string_view::npos && end > from) {
        const std::string_view inner = text.substr(from, end - from);
        result += escaped(plain, false) + fmt::format("\\f{}{}\\fR", font, escaped(inner, mark == "`"));
        plain.clear();
        at = end + mark.size();
        marked = true;
        break;
      }
    }
    if (!marked) {
      plain += text[at++];
    }
  }
  result += escaped(plain, false);
  const bool control = !result.empty() && (result.front() == '.' || result.front() == '\'');
  return control ? "\\&" + result : result;
}

class Writer {
 public:
  Writer(std::string_view markdown, const std::function<std::string(const std::string&)>& fill) : m_fill{fill} {
    std::istringstream lines{std::string{markdown}};
    for (std::string line; std::getline(lines, line);) {
      m_lines.push_back(line);
    }
  }

  std::string run() {
    while (m_next < m_lines.size()) {
      block(m_lines[m_next++]);
    }
    return std::move(m_text);
  }

 private:
  void block(const std::string& line) {
    if (line.empty() || line.starts_with("<!--")) {
      return;
    }
    if (line.starts_with("## ")) {
      heading(".SH", line.substr(3));
    } else if (line.starts_with("### ")) {
      heading(".SS", line.substr(4));
    } else if (line.starts_with(k_fence)) {
      code_block();
    } else if (line.size() > 2 && line.front() == '@' && line.back() == '@') {
      m_text += m_fill(line.substr(1, line.size() - 2));
      m_fresh = true;
    } else if (line.front() == '|') {
      table(line);
    } else if (line.starts_with("- ")) {
      m_text += ".IP \\(bu 2\n" + inline_text(with_continuation(line.substr(2), "  ")) + "\n";
      m_fresh = true;
    } else if (m_next < m_lines.size() && m_lines[m_next].starts_with(k_definition)) {
      const std::string first = m_lines[m_next++].substr(k_definition.size());
      m_text += ".TP\n" + inline_text(line) + "\n" + inline_text(with_continuation(first, "    ")) + "\n";
      m_fresh = true;
    } else {
      paragraph(line);
    }
  }

  // Lines that are indented, and so belong to what began.
  std::string with_continuation(std::string text, std::string_view indent) {
    while (m_next < m_lines.size() && m_lines[m_next].starts_with(indent)) {
      text += " " + m_lines[m_next++].substr(indent.size());
    }
    return text;
  }

  // A terminal has no room for columns of prose: each row becomes its first cell and, below it, the others under
  // their headings.
  void table(const std::string& head) {
    const std::vector<std::string> titles = cells(head);
    for (++m_next; m_next < m_lines.size() && m_lines[m_next].starts_with('|'); ++m_next) {
      const std::vector<std::string> row = cells(m_lines[m_next]);
      std::string text;
      for (std::size_t i = 1; i < row.size(); ++i) {
        const bool titled = titles.size() > 2 && i < titles.size() && !titles[i].empty();
        text += row[i].empty() ? "" : (text.empty() ? "" : "; ") + (titled ? titles[i] + ": " : "") + row[i];
      }
      m_text += ".TP\n" + inline_text(row.empty() ? "" : row.front()) + "\n" + inline_text(text) + "\n";
    }
    m_fresh = true;
  }

  static std::vector<std::string> cells(const std::string& line) {
    std::vector<std::string> cells;
    std::istringstream rest{line.substr(1)};
    for (std::string cell; std::getline(rest, cell, '|');) {
      const std::size_t begin = cell.find_first_not_of(' ');
      cells.push_back(begin == std::string::npos ? "" : cell.substr(begin, cell.find_last_not_of(' ') - begin + 1));
    }
    return cells;
  }

  void heading(std::string_view macro, std::string title) {
    std::erase(title, '`');
    if (macro == ".SH") {
      std::transform(title.begin(), title.end(), title.begin(), [](unsigned char c) { return std::toupper(c); });
    }
    m_text += fmt::format("{} \"{}\"\n", macro, escaped(title, false));
    m_fresh = false;
  }

  void paragraph(std::string text) {
    const auto goes_on = [this] {
      const std::string_view line = m_next < m_lines.size() ? std::string_view{m_lines[m_next]} : std::string_view{};
      return !line.empty() && line.front() != '#' && line.front() != '@' && line.front() != '|' &&
             !line.starts_with("- ") && !line.starts_with(k_fence) && !line.starts_with("<!--");
    };
    while (goes_on()) {
      text += " " + m_lines[m_next++];
    }
    m_text += (m_fresh ? ".PP\n" : "") + inline_text(text) + "\n";
    m_fresh = true;
  }

  void code_block() {
    m_text += m_fresh ? ".PP\n.RS 2\n.EX\n" : ".RS 2\n.EX\n";
    for (; m_next < m_lines.size() && m_lines[m_next] != k_fence; ++m_next) {
      m_text += escaped(m_lines[m_next], true) + "\n";
    }
    if (m_next++ == m_lines.size()) {
      throw Error{ExitCode::bug, "a manual page has a block without an end"};
    }
    m_text += ".EE\n.RE\n";
    m_fresh = true;
  }

  const std::function<std::string(const std::string&)>& m_fill;
  std::vector<std::string> m_lines;
  std::size_t m_next = 0;
  std::string m_text;
  bool m_fresh = false;  ///< a paragraph that begins now needs a macro
};

}  // namespace

std::string roff_text(std::string_view text) {
  return escaped(text, false);
}

std::string roff_code(std::string_view text) {
  return escaped(text, true);
}

std::string roff_of_markdown(std::string_view markdown, const std::function<std::string(const std::string&)>& fill) {
  return Writer{markdown, fill}.run();
}

}  // namespace taskctl
