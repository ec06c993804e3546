#include "base/timestamp.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/error.hpp"
#include "base/text.hpp"

namespace taskctl {

namespace {

constexpr int k_fraction_digits = 6;
constexpr std::size_t k_longest_local = 26;  // 2025-12-19T16:54:56.123456

/// Takes fields off the front of a text; a field that is not there leaves the text as it was.
class Fields {
 public:
  explicit Fields(std::string_view text) : m_rest{text} {}

  bool take(char expected) {
    if (m_rest.empty() || m_rest.front() != expected) {
      return false;
    }
    m_rest.remove_prefix(1);
    return true;
  }

  /// Exactly `digits` digits.
  std::optional<int> number(std::size_t digits) {
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      if (i >= m_rest.size() || m_rest[i] < '0' || m_rest[i] > '9') {
        return std::nullopt;
      }
      value = value * 10 + (m_rest[i] - '0');
    }
    m_rest.remove_prefix(digits);
    return value;
  }

  /// One digit or more after the point, cut to microseconds.
  std::optional<std::chrono::microseconds> fraction() {
    std::int64_t value = 0;
    int digits = 0;
    while (const std::optional<int> digit = number(1)) {
      if (digits < k_fraction_digits) {
        value = value * 10 + *digit;
      }
      ++digits;
    }
    if (digits == 0) {
      return std::nullopt;
    }
    for (; digits < k_fraction_digits; ++digits) {
      value *= 10;
    }
    return std::chrono::microseconds{value};
  }

  [[nodiscard]] std::string_view rest() const { return m_rest; }

 private:
  std::string_view m_rest;
};

std::optional<std::chrono::local_days> take_date(Fields& fields) {
  const std::optional<int> year = fields.number(4);
  if (!year || *year == 0 || !fields.take('-')) {
    return std::nullopt;
  }
  const std::optional<int> month = fields.number(2);
  if (!month || !fields.take('-')) {
    return std::nullopt;
  }
  const std::optional<int> day = fields.number(2);
  if (!day) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year{*year}, std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  return date.ok() ? std::optional{std::chrono::local_days{date}} : std::nullopt;
}

std::optional<std::chrono::microseconds> take_time_of_day(Fields& fields) {
  const std::optional<int> hour = fields.number(2);
  if (!hour || *hour > 23 || !fields.take(':')) {
    return std::nullopt;
  }
  const std::optional<int> minute = fields.number(2);
  if (!minute || *minute > 59) {
    return std::nullopt;
  }
  std::chrono::microseconds time = std::chrono::hours{*hour} + std::chrono::minutes{*minute};
  if (!fields.take(':')) {
    return time;
  }
  const std::optional<int> second = fields.number(2);
  if (!second || *second > 59) {
    return std::nullopt;
  }
  time += std::chrono::seconds{*second};
  if (fields.take('.')) {
    const std::optional<std::chrono::microseconds> fraction = fields.fraction();
    if (!fraction) {
      return std::nullopt;
    }
    time += *fraction;
  }
  return time;
}

struct CivilTime {
  int year;
  unsigned month, day;
  std::int64_t hour, minute, second, microsecond;
};

CivilTime civil(LocalTime local) {
  const auto midnight = std::chrono::floor<std::chrono::days>(local);
  const std::chrono::year_month_day date{midnight};
  const std::chrono::hh_mm_ss<std::chrono::microseconds> time{local - midnight};
  return {int{date.year()},       unsigned{date.month()}, unsigned{date.day()},     time.hours().count(),
          time.minutes().count(), time.seconds().count(), time.subseconds().count()};
}

/// `number`, filled up with zeros to `width`; a year may have more digits, or a sign.
void append_digits(std::string& text, std::int64_t number, int width) {
  if (number < 0 || number > 999'999) {
    text += fmt::format("{:0{}}", number, width);
    return;
  }
  const std::string_view all = "000000";
  std::array<char, 6> digits{};
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  const auto size = static_cast<std::size_t>(end - digits.data());
  text.append(all.substr(0, static_cast<std::size_t>(width) > size ? static_cast<std::size_t>(width) - size : 0));
  text.append(digits.data(), size);
}

LocalTime utc_fields(Instant instant) {
  return LocalTime{instant.time_since_epoch()};
}

}  // namespace

std::optional<std::chrono::minutes> parse_utc_offset(std::string_view text) {
  if (text == "Z" || text == "z") {
    return std::chrono::minutes{0};
  }
  Fields fields{text};
  const bool negative = fields.take('-');
  if (!negative && !fields.take('+')) {
    return std::nullopt;
  }
  const std::optional<int> hours = fields.number(2);
  if (!hours || *hours > 15) {
    return std::nullopt;
  }
  std::optional<int> minutes = 0;
  if (!fields.rest().empty()) {
    fields.take(':');
    minutes = fields.number(2);
  }
  if (!minutes || *minutes > 59 || !fields.rest().empty()) {
    return std::nullopt;
  }
  const std::chrono::minutes offset = std::chrono::hours{*hours} + std::chrono::minutes{*minutes};
  return negative ? -offset : offset;
}

std::optional<ParsedTimestamp> parse_timestamp_text(std::string_view text) {
  Fields fields{text};
  const std::optional<std::chrono::local_days> date = take_date(fields);
  if (!date) {
    return std::nullopt;
  }
  const bool blank = fields.take(' ');
  if (!blank && !fields.take('T') && !fields.take('t')) {
    return std::nullopt;
  }
  const std::optional<std::chrono::microseconds> time = take_time_of_day(fields);
  if (!time) {
    return std::nullopt;
  }
  ParsedTimestamp parsed{*date + *time, blank ? ' ' : 'T', std::nullopt};
  if (!fields.rest().empty()) {
    fields.take(' ');
    parsed.offset = parse_utc_offset(fields.rest());
    if (!parsed.offset) {
      return std::nullopt;
    }
  }
  return parsed;
}

Instant parse_instant(std::string_view text, std::string_view option) {
  constexpr const char* k_hint = "Write it like 2025-12-19T08:54:56Z or 2025-12-19T16:54:56+08:00.";
  const std::string shown = truncate_to_width(printable(text), 80);
  const std::optional<ParsedTimestamp> parsed = parse_timestamp_text(text);
  if (!parsed) {
    throw Error{ExitCode::usage, fmt::format("'{}' is not a time: '{}'", option, shown), k_hint};
  }
  if (!parsed->offset) {
    throw Error{ExitCode::usage, fmt::format("'{}' names no zone: '{}'", option, shown), k_hint};
  }
  return Instant{parsed->local.time_since_epoch() - *parsed->offset};
}

std::string format_instant(Instant instant) {
  const bool whole = instant == std::chrono::floor<std::chrono::seconds>(instant);
  return format_local(utc_fields(instant), 'T', whole ? 0 : k_fraction_digits) + "Z";
}

std::string format_local(LocalTime local, char separator, int fraction_digits) {
  const CivilTime t = civil(local);
  std::string text;
  text.reserve(k_longest_local);
  // By hand: several times of every task are printed, and a format string is read again for each.
  append_digits(text, t.year, 4);
  append_digits(text.append(1, '-'), t.month, 2);
  append_digits(text.append(1, '-'), t.day, 2);
  append_digits(text.append(1, separator), t.hour, 2);
  append_digits(text.append(1, ':'), t.minute, 2);
  append_digits(text.append(1, ':'), t.second, 2);
  if (fraction_digits > 0) {
    append_digits(text.append(1, '.'), t.microsecond, k_fraction_digits);
    text.resize(text.size() -
                static_cast<std::size_t>(k_fraction_digits - std::min(fraction_digits, k_fraction_digits)));
  }
  return text;
}

std::string format_compact(Instant instant) {
  const CivilTime t = civil(utc_fields(instant));
  return fmt::format("{:04}{:02}{:02}_{:02}{:02}{:02}", t.year, t.month, t.day, t.hour, t.minute, t.second);
}

}  // namespace taskctl
