#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace taskctl {

[[nodiscard]] bool is_valid_utf8(std::string_view text);

/// Appends one Unicode scalar value.
void append_utf8(std::string& out, std::uint32_t code_point);

/// Columns a terminal needs for the text (wide and combining characters, emoji); control characters count 0,
/// invalid bytes 1 each.
[[nodiscard]] std::size_t display_width(std::string_view text);

/// The text cut to `width` columns, ending in "…" when something was cut. Never splits a character.
[[nodiscard]] std::string truncate_to_width(std::string_view text, std::size_t width);

/// Safe on a terminal: control characters, escapes and invalid bytes become \n, \x1b, \xff;
/// those above U+007F and the characters that turn the direction of text become \u009b, \u202e.
[[nodiscard]] std::string printable(std::string_view text);

[[nodiscard]] std::string to_hex(std::string_view bytes);
/// Throws Error{failed} on an odd length or another character.
[[nodiscard]] std::string from_hex(std::string_view hex);

/// Replaces every password in URLs and libpq keyword strings by "***". For one argument, location or
/// message at a time: a text that was quoted for a shell or for JSON must be redacted before it is quoted.
[[nodiscard]] std::string redact(std::string_view text);

/// The word as a shell takes it: quoted where it has to be.
[[nodiscard]] std::string shell_quoted(std::string_view word);

/// The candidate nearest to `word` by edit distance (at most 3, and less than the word's length); empty when none is
/// near.
[[nodiscard]] std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

[[nodiscard]] std::string join(const std::vector<std::string>& parts, std::string_view separator);

}  // namespace taskctl
