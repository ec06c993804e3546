#include <algorithm>
#include <cctype>

#include "base/text.hpp"

namespace taskctl {

namespace {

constexpr std::string_view k_mask = "***";
constexpr std::string_view k_blanks = " \t\r\n";
constexpr std::string_view k_token_end = " \t\r\n'\"`<>";

/// A stretch of the text.
struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;
};

std::size_t position_or_end(std::size_t position, std::string_view text) {
  return std::min(position, text.size());
}

/// "5432", "5432,other:5433" and nothing at all, as they stand after the host.
bool looks_like_port(std::string_view text) {
  const std::size_t end = text.find_first_not_of("0123456789");
  return end == std::string_view::npos || text[end] == ',';
}

/// The password of a URL whose authority begins at `begin`; an empty range when it has none. A password that holds
/// '/', '?', '#', a quote or a blank that should have been percent-encoded is found too: covering too much of a
/// wrong URL is better than showing half of a password.
Range url_password(std::string_view text, std::size_t begin) {
  const std::size_t line_end = position_or_end(text.find_first_of("\r\n", begin), text);
  const std::size_t token_end = position_or_end(text.find_first_of(k_token_end, begin), text);
  const std::size_t path_end = std::min(position_or_end(text.find_first_of("?#", begin), text), token_end);
  const std::size_t authority_end = std::min(position_or_end(text.find('/', begin), text), path_end);
  const auto last_at = [text, begin](std::size_t end) { return text.substr(0, end).rfind('@') + 1 > begin; };

  std::size_t at = std::string_view::npos;
  if (last_at(path_end)) {
    at = text.substr(0, path_end).rfind('@');
  } else {
    const std::size_t colon = text.substr(0, authority_end).find(':', begin);
    if (colon == std::string_view::npos || looks_like_port(text.substr(colon + 1, authority_end - colon - 1)) ||
        text[begin] == '[') {
      return {};
    }
    at = last_at(token_end) ? text.substr(0, token_end).rfind('@') : text.substr(0, line_end).find('@', colon);
  }
  if (at == std::string_view::npos) {
    return {};
  }
  const std::size_t colon = text.substr(0, at).find(':', begin);
  return colon == std::string_view::npos ? Range{} : Range{colon + 1, at};
}

std::string redact_urls(std::string_view text) {
  constexpr std::string_view mark = "://";
  std::string out;
  std::size_t copied = 0;
  for (std::size_t found = text.find(mark); found != std::string_view::npos;) {
    const std::size_t begin = found + mark.size();
    const Range password = url_password(text, begin);
    if (password.end > password.begin) {
      out.append(text.substr(copied, password.begin - copied)).append(k_mask);
      copied = password.end;
    }
    found = text.find(mark, std::max(begin, copied));
  }
  return out.append(text.substr(copied));
}

/// Past the value of a keyword string that begins at `begin`: quoted or up to a blank, a backslash takes the next
/// character with it.
std::size_t keyword_value_end(std::string_view text, std::size_t begin) {
  const bool quoted = text[begin] == '\'' || text[begin] == '"';
  for (std::size_t i = quoted ? begin + 1 : begin; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (quoted && text[i] == text[begin]) {
      return i + 1;
    } else if (!quoted && k_blanks.find(text[i]) != std::string_view::npos) {
      return i;
    }
  }
  return text.size();
}

/// The value of the setting whose name ends at `name_end`; an empty range when no "= value" follows.
Range setting_value(std::string_view text, std::size_t name_begin, std::size_t name_end) {
  const std::size_t equals = text.find_first_not_of(k_blanks, name_end);
  if (equals == std::string_view::npos || text[equals] != '=') {
    return {};
  }
  const bool in_query = name_begin > 0 && (text[name_begin - 1] == '?' || text[name_begin - 1] == '&');
  if (in_query) {
    return {equals + 1, position_or_end(text.find_first_of("&# \t\r\n'\"", equals), text)};
  }
  const std::size_t begin = text.find_first_not_of(k_blanks, equals + 1);
  return begin == std::string_view::npos ? Range{} : Range{begin, keyword_value_end(text, begin)};
}

bool is_name_character(char c) {
  return c == '_' || std::isalnum(static_cast<unsigned char>(c)) != 0;
}

/// Values of password, sslpassword, PGPASSWORD and every other name that ends in "password".
std::string redact_settings(std::string_view text) {
  constexpr std::string_view word = "password";
  std::string lower{text};
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  std::string out;
  std::size_t copied = 0;
  for (std::size_t found = lower.find(word); found != std::string::npos;) {
    std::size_t name_begin = found;
    while (name_begin > copied && is_name_character(text[name_begin - 1])) {
      --name_begin;
    }
    const Range value = setting_value(text, name_begin, found + word.size());
    if (value.end > value.begin) {
      out.append(text.substr(copied, value.begin - copied)).append(k_mask);
      copied = value.end;
    }
    found = lower.find(word, std::max(found + word.size(), copied));
  }
  return out.append(text.substr(copied));
}

}  // namespace

std::string redact(std::string_view text) {
  return redact_settings(redact_urls(text));
}

}  // namespace taskctl
