#include "sql/column_type.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <optional>

#include "base/text.hpp"

namespace taskctl {

namespace {

bool starts_with_any(std::string_view text, std::initializer_list<std::string_view> prefixes) {
  return std::ranges::any_of(prefixes, [&](std::string_view prefix) { return text.starts_with(prefix); });
}

std::string upper(std::string_view text) {
  std::string result{text};
  std::ranges::transform(result, result.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return result;
}

/// The number when the text is exactly how that integer prints: no sign of zero, no leading zero, no plus.
std::optional<std::int64_t> canonical_integer(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || std::to_string(number) != text) {
    return std::nullopt;
  }
  return number;
}

bool fits_postgres_integer(std::string_view type, const std::string& text) {
  const std::optional<std::int64_t> number = canonical_integer(text);
  if (!number) {
    return false;
  }
  if (type == "smallint") {
    return std::cmp_equal(*number, static_cast<std::int16_t>(*number));
  }
  return type == "bigint" || std::cmp_equal(*number, static_cast<std::int32_t>(*number));
}

bool is_canonical_uuid(std::string_view text) {
  constexpr std::string_view k_pattern = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  return std::ranges::equal(text, k_pattern, [](char c, char pattern) {
    return pattern == '-' ? c == '-' : (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  });
}

/// Text of a REAL as SQLite's %!.15g writes it: always with a decimal point.
std::string real_text(double value) {
  std::array<char, 40> buffer{};
  const int size = std::snprintf(buffer.data(), buffer.size(), "%.15g", value);
  std::string text{buffer.data(), static_cast<std::size_t>(size)};
  if (std::isfinite(value) && text.find('.') == std::string::npos) {
    text.insert(std::min(text.find('e'), text.size()), ".0");
  }
  return text;
}

Value real_as_integer(double value) {
  constexpr double k_limit = 9223372036854775808.0;  // 2^63
  if (value > -k_limit && value < k_limit && std::trunc(value) == value) {
    return static_cast<std::int64_t>(value);
  }
  return value;
}

/// The number that a text spells completely; blanks around it are allowed, hexadecimal is not.
std::optional<Value> number_in(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t\n\v\f\r");
  if (first == std::string::npos) {
    return std::nullopt;
  }
  const std::string body = text.substr(first, text.find_last_not_of(" \t\n\v\f\r") - first + 1);
  if (body.find_first_not_of("0123456789+-.eE") != std::string::npos) {
    return std::nullopt;
  }
  const std::string_view digits = std::string_view{body}.substr(body.front() == '+' ? 1 : 0);
  std::int64_t integer = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), integer);
  if (error == std::errc{} && end == digits.data() + digits.size()) {
    return integer;
  }
  char* rest = nullptr;
  const double real = std::strtod(body.c_str(), &rest);
  return *rest == '\0' ? std::optional<Value>{real} : std::nullopt;
}

Value as_number(const Value& value, Affinity affinity) {
  Value number = value;
  if (const auto* text = std::get_if<std::string>(&value)) {
    number = number_in(*text).value_or(value);
  }
  if (affinity == Affinity::real) {
    const auto* integer = std::get_if<std::int64_t>(&number);
    return integer != nullptr ? Value{static_cast<double>(*integer)} : number;
  }
  const auto* real = std::get_if<double>(&number);
  return real != nullptr ? real_as_integer(*real) : number;
}

}  // namespace

TypeFamily postgres_family(std::string_view type) {
  if (type == "text" || type == "name" || starts_with_any(type, {"character varying", "character("})) {
    return type.ends_with("]") ? TypeFamily::other : TypeFamily::text;
  }
  if (type == "smallint" || type == "integer" || type == "bigint") {
    return TypeFamily::integer;
  }
  return type == "uuid" ? TypeFamily::uuid : TypeFamily::other;
}

bool can_be_compared(const ColumnInfo& column, std::string_view text) {
  const std::string& type = column.type;
  if (!column.labels.empty() || postgres_family(type) == TypeFamily::text) {
    return true;
  }
  const bool number = canonical_integer(text).has_value();
  if (postgres_family(type) == TypeFamily::integer || starts_with_any(type, {"numeric", "real", "double precision"})) {
    return number;
  }
  return type.ends_with("]") ||
         (type != "uuid" && !starts_with_any(type, {"json", "bytea", "date", "time", "interval"}));
}

std::string lossless_cast(std::string_view type) {
  for (const auto& [prefix, without_length] :
       {std::pair<std::string_view, std::string_view>{"character varying(", "character varying"},
        {"character(", "bpchar"}}) {
    if (type.starts_with(prefix)) {
      return std::string{without_length} + std::string{type.substr(type.find(')') + 1)};
    }
  }
  return std::string{type};
}

Affinity affinity_of(std::string_view declared_type) {
  const std::string type = upper(declared_type);
  const auto names = [&](std::initializer_list<std::string_view> words) {
    return std::ranges::any_of(words, [&](std::string_view word) { return type.find(word) != std::string::npos; });
  };
  if (names({"INT"})) {
    return Affinity::integer;
  }
  if (names({"CHAR", "CLOB", "TEXT"})) {
    return Affinity::text;
  }
  if (type.empty() || names({"BLOB"})) {
    return Affinity::none;
  }
  return names({"REAL", "FLOA", "DOUB"}) ? Affinity::real : Affinity::numeric;
}

Value apply_affinity(const Value& value, Affinity affinity) {
  if (affinity == Affinity::none || is_null(value) || std::holds_alternative<Blob>(value)) {
    return value;
  }
  if (affinity != Affinity::text) {
    return as_number(value, affinity);
  }
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    return std::to_string(*integer);
  }
  const auto* real = std::get_if<double>(&value);
  return real != nullptr ? Value{real_text(*real)} : value;
}

std::vector<Value> key_values(Engine engine, const ColumnInfo& column, const std::string& text) {
  if (engine == Engine::postgres) {
    const TypeFamily family = postgres_family(column.type);
    // The server would answer with an error, not with "no row".
    const bool impossible = text.find('\0') != std::string::npos || !is_valid_utf8(text) ||
                            (family == TypeFamily::integer && !fits_postgres_integer(column.type, text)) ||
                            (family == TypeFamily::uuid && !is_canonical_uuid(text));
    return impossible ? std::vector<Value>{} : std::vector<Value>{text};
  }
  const Affinity affinity = affinity_of(column.type);
  const std::optional<std::int64_t> integer = canonical_integer(text);
  if (affinity == Affinity::text || !integer) {
    return {text};
  }
  return affinity == Affinity::none ? std::vector<Value>{text, *integer} : std::vector<Value>{*integer};
}

}  // namespace taskctl
