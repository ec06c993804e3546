#include "base/text.hpp"

#include <fmt/format.h>
#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <numeric>

#include "base/error.hpp"

namespace taskctl {

namespace {

/// The first character of a text that is not empty.
struct Character {
  std::size_t size = 1;              ///< bytes
  utf8proc_int32_t code_point = -1;  ///< negative: the byte is not valid UTF-8
};

Character first_character(std::string_view text) {
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  Character character;
  const utf8proc_ssize_t size =
      utf8proc_iterate(bytes, static_cast<utf8proc_ssize_t>(text.size()), &character.code_point);
  if (size <= 0) {
    return Character{};
  }
  character.size = static_cast<std::size_t>(size);
  return character;
}

/// Characters that make a cluster of one column take two: the selector of the emoji form, and the second letter of a
/// flag.
bool widens(utf8proc_int32_t code_point) {
  return code_point == 0xfe0f || (code_point >= 0x1f1e6 && code_point <= 0x1f1ff);
}

/// What a terminal draws as one: a character with everything that combines with it.
struct Cluster {
  std::size_t size = 0;   ///< bytes
  std::size_t width = 0;  ///< columns
};

std::size_t columns_of(const Character& character) {
  return character.code_point < 0 ? 1U : static_cast<std::size_t>(utf8proc_charwidth(character.code_point));
}

Cluster first_cluster(std::string_view text) {
  Character character = first_character(text);
  Cluster cluster{character.size, columns_of(character)};
  utf8proc_int32_t state = 0;
  while (character.code_point >= 0 && cluster.size < text.size()) {
    const Character next = first_character(text.substr(cluster.size));
    if (next.code_point < 0 || utf8proc_grapheme_break_stateful(character.code_point, next.code_point, &state)) {
      break;
    }
    cluster.width = cluster.width == 1 && widens(next.code_point) ? 2 : std::max(cluster.width, columns_of(next));
    cluster.size += next.size;
    character = next;
  }
  return cluster;
}

/// Marks, embeddings, overrides and isolates that turn the direction of the text that follows.
bool turns_direction(utf8proc_int32_t code_point) {
  return code_point == 0x200e || code_point == 0x200f || code_point == 0x061c ||
         (code_point >= 0x202a && code_point <= 0x202e) || (code_point >= 0x2066 && code_point <= 0x2069);
}

std::string escape(std::string_view bytes, utf8proc_int32_t code_point) {
  switch (code_point) {
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      break;
  }
  const bool line_break = code_point == 0x2028 || code_point == 0x2029;
  if ((code_point >= 0 && code_point < 0x20) || code_point == 0x7f) {
    return fmt::format("\\x{:02x}", code_point);
  }
  if ((code_point >= 0x80 && code_point < 0xa0) || line_break || turns_direction(code_point)) {
    return fmt::format("\\u{:04x}", code_point);
  }
  return code_point < 0 ? "\\x" + to_hex(bytes) : std::string{bytes};
}

bool is_plain_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

/// Most texts are nothing but ASCII: their bytes need not be decoded one by one.
std::size_t ascii_prefix(std::string_view text) {
  const auto end = std::find_if(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
  return static_cast<std::size_t>(end - text.begin());
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0U : 1U);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, diagonal + 1, row[j] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

bool is_valid_utf8(std::string_view text) {
  text.remove_prefix(ascii_prefix(text));
  while (!text.empty()) {
    const Character character = first_character(text);
    if (character.code_point < 0) {
      return false;
    }
    text.remove_prefix(character.size);
  }
  return true;
}

void append_utf8(std::string& out, std::uint32_t code_point) {
  std::array<utf8proc_uint8_t, 4> bytes{};
  const utf8proc_ssize_t size = utf8proc_encode_char(static_cast<utf8proc_int32_t>(code_point), bytes.data());
  out.append(bytes.begin(), bytes.begin() + size);
}

std::size_t display_width(std::string_view text) {
  if (is_plain_ascii(text)) {
    return text.size();
  }
  std::size_t width = 0;
  while (!text.empty()) {
    const Cluster cluster = first_cluster(text);
    width += cluster.width;
    text.remove_prefix(cluster.size);
  }
  return width;
}

std::string truncate_to_width(std::string_view text, std::size_t width) {
  if (text.size() <= width && is_plain_ascii(text)) {
    return std::string{text};
  }
  std::size_t kept = 0;  // bytes that fit together with the ellipsis
  std::size_t used = 0;
  std::size_t read = 0;
  while (read < text.size()) {
    const Cluster cluster = first_cluster(text.substr(read));
    used += cluster.width;
    read += cluster.size;
    if (used > width) {
      return width == 0 ? std::string{} : std::string{text.substr(0, kept)} + "…";
    }
    if (used < width) {
      kept = read;
    }
  }
  return std::string{text};
}

std::string printable(std::string_view text) {
  if (is_plain_ascii(text)) {
    return std::string{text};
  }
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Character character = first_character(text);
    out += escape(text.substr(0, character.size), character.code_point);
    text.remove_prefix(character.size);
  }
  return out;
}

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    hex += {digits[value >> 4U], digits[value & 15U]};
  }
  return hex;
}

std::string from_hex(std::string_view hex) {
  if (hex.size() % 2 != 0) {
    throw Error{ExitCode::failed, fmt::format("hexadecimal text has an odd length of {}", hex.size())};
  }
  std::string bytes;
  bytes.reserve(hex.size() / 2);
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    unsigned char value = 0;
    const char* end = hex.data() + i + 2;
    const auto [stopped, error] = std::from_chars(hex.data() + i, end, value, 16);
    if (error != std::errc{} || stopped != end) {
      throw Error{ExitCode::failed, fmt::format("'{}' is not hexadecimal", printable(hex.substr(i, 2)))};
    }
    bytes += static_cast<char>(value);
  }
  return bytes;
}

std::string shell_quoted(std::string_view word) {
  const bool plain = !word.empty() && word.find_first_not_of(
                                          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                          "0123456789_-+=.,:/@%") == std::string::npos;
  if (plain) {
    return std::string{word};
  }
  std::string quoted = "'";
  for (const char c : word) {
    quoted += c == '\'' ? std::string{"'\\''"} : std::string(1, c);
  }
  return quoted + "'";
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  constexpr std::size_t k_most = 3;
  std::size_t best = std::min(k_most + 1, word.size());
  std::string found;
  for (const std::string& candidate : candidates) {
    const std::size_t longer = std::max(word.size(), candidate.size());
    if (longer - std::min(word.size(), candidate.size()) >= best) {
      continue;
    }
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best) {
      best = distance;
      found = candidate;
    }
  }
  return found;
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string out;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    out += i == 0 ? std::string_view{} : separator;
    out += parts[i];
  }
  return out;
}

}  // namespace taskctl
