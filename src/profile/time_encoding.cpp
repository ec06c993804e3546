#include "profile/time_encoding.hpp"

#include <charconv>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/timestamp.hpp"

namespace taskctl {

namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::int64_t k_ns_per_us = 1000;
constexpr std::int64_t k_us_per_ms = 1000;
constexpr std::int64_t k_us_per_s = 1'000'000;
constexpr std::int64_t k_ms_per_day = 86'400'000;
/// Julian day 0 (noon, 24 November -4713) to 1970, as SQLite counts it.
constexpr std::int64_t k_julian_epoch_ms = 210'866'760'000'000;

// Years 1 to 9999 in UTC: what every encoding can write and every view can show.
constexpr Instant k_first{std::chrono::sys_days{std::chrono::year{1} / 1 / 1}};
constexpr Instant k_end{std::chrono::sys_days{std::chrono::year{10000} / 1 / 1}};

std::optional<Instant> in_range(Instant at) {
  return at >= k_first && at < k_end ? std::optional{at} : std::nullopt;
}

/// A wall clock that no zone can move out of the range of Instant.
bool in_range(LocalTime local) {
  return local.time_since_epoch() >= k_first.time_since_epoch() && local.time_since_epoch() < k_end.time_since_epoch();
}

template <class T>
std::optional<T> read_number(std::string_view text) {
  T number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() ? std::optional{number} : std::nullopt;
}

/// A whole number: as such, or in digits as PostgreSQL hands over a bigint.
std::optional<std::int64_t> whole_number(const Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    return *number;
  }
  if (const auto* text = std::get_if<std::string>(&value)) {
    return read_number<std::int64_t>(*text);
  }
  return std::nullopt;
}

std::optional<double> real_number(const Value& value) {
  std::optional<double> real;
  if (const auto* number = std::get_if<double>(&value)) {
    real = *number;
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    real = read_number<double>(*text);
  } else if (const auto* whole = std::get_if<std::int64_t>(&value)) {
    real = static_cast<double>(*whole);
  }
  return real && std::isfinite(*real) ? real : std::nullopt;
}

/// `count` units of `unit` µs; nullopt where the product would leave the range.
std::optional<Instant> from_units(std::int64_t count, std::int64_t unit) {
  const std::int64_t limit = k_end.time_since_epoch().count() / unit;
  const std::int64_t lowest = k_first.time_since_epoch().count() / unit;
  if (count > limit || count < lowest) {
    return std::nullopt;
  }
  return in_range(Instant{microseconds{count * unit}});
}

std::optional<Instant> from_real_units(double count, double unit, double (*to_whole)(double)) {
  const double us = to_whole(count * unit);
  const auto first = static_cast<double>(k_first.time_since_epoch().count());
  const auto end = static_cast<double>(k_end.time_since_epoch().count());
  if (!(us >= first && us < end)) {
    return std::nullopt;
  }
  return in_range(Instant{microseconds{static_cast<std::int64_t>(us)}});
}

double nearest_whole(double number) {
  return std::nearbyint(number);
}

double cut(double number) {
  return std::floor(number);
}

/// Integers of a unit; a real number in such a column (1752839100000.0) is as good as its integer.
std::optional<Instant> decode_units(const Value& value, std::int64_t unit) {
  if (const auto whole = whole_number(value)) {
    return from_units(*whole, unit);
  }
  const auto real = real_number(value);
  return real ? from_real_units(*real, static_cast<double>(unit), cut) : std::nullopt;
}

/// Cut to microseconds, before 1970 too.
std::optional<Instant> decode_nanoseconds(const Value& value) {
  if (const auto whole = whole_number(value)) {
    return in_range(std::chrono::floor<Duration>(
        std::chrono::sys_time<std::chrono::nanoseconds>{std::chrono::nanoseconds{*whole}}));
  }
  const auto real = real_number(value);
  return real ? from_real_units(*real, 1.0 / static_cast<double>(k_ns_per_us), cut) : std::nullopt;
}

/// A double holds seconds of our century to 0.24 µs: the nearest microsecond is the one that was written.
std::optional<Instant> decode_unix_float(const Value& value) {
  const auto real = real_number(value);
  return real ? from_real_units(*real, static_cast<double>(k_us_per_s), nearest_whole) : std::nullopt;
}

/// SQLite itself counts in milliseconds; a double holds a julian day to 40 µs.
std::optional<Instant> decode_julian(const Value& value) {
  const auto day = real_number(value);
  if (!day || *day < 0 || *day > 1e7) {
    return std::nullopt;
  }
  const auto ms = static_cast<std::int64_t>(nearest_whole(*day * static_cast<double>(k_ms_per_day)));
  return from_units(ms - k_julian_epoch_ms, k_us_per_ms);
}

std::optional<Instant> decode_naive(const Value& value, const Zone& zone) {
  const auto us = whole_number(value);
  if (!us) {
    return std::nullopt;
  }
  const LocalTime local{microseconds{*us}};
  return in_range(local) ? in_range(zone.to_instant(local)) : std::nullopt;
}

std::optional<Instant> decode_text(const Value& value, const TimeStyle& style) {
  const auto* text = std::get_if<std::string>(&value);
  const auto parsed = text != nullptr ? parse_timestamp_text(*text) : std::nullopt;
  if (!parsed) {
    return std::nullopt;
  }
  if (parsed->offset) {
    return in_range(Instant{parsed->local.time_since_epoch() - *parsed->offset});
  }
  const bool separator_fits = style.separator == '\0' || style.separator == parsed->separator;
  if (!separator_fits || !style.zone) {
    return std::nullopt;
  }
  return in_range(style.zone->to_instant(parsed->local));
}

std::optional<Instant> decode_with(const Value& value, const TimeStyle& style) {
  switch (style.format) {
    case TimeFormat::timestamptz:
    case TimeFormat::unix_us:
      return decode_units(value, 1);
    case TimeFormat::naive:
      return style.zone ? decode_naive(value, *style.zone) : std::nullopt;
    case TimeFormat::text:
      return decode_text(value, style);
    case TimeFormat::unix_s:
      return decode_units(value, k_us_per_s);
    case TimeFormat::unix_ms:
      return decode_units(value, k_us_per_ms);
    case TimeFormat::unix_ns:
      return decode_nanoseconds(value);
    case TimeFormat::unix_float:
      return decode_unix_float(value);
    case TimeFormat::julian_day:
      return decode_julian(value);
  }
  return std::nullopt;
}

/// Six digits where they say something, none otherwise: what PostgreSQL itself prints, or shorter.
int digits_needed(LocalTime local) {
  return local == std::chrono::floor<seconds>(local) ? 0 : 6;
}

LocalTime wall_clock(Instant at, const std::optional<Zone>& zone, const std::string& style) {
  const LocalTime local = zone ? zone->to_local(at) : LocalTime{at.time_since_epoch()};
  if (!in_range(local)) {
    throw Error{ExitCode::failed,
                fmt::format("a time outside of the years 1 to 9999 cannot be written as '{}'", style)};
  }
  return local;
}

std::string encode_text(Instant at, const TimeStyle& style) {
  const LocalTime local = wall_clock(at, style.zone, style.name);
  const std::string text = format_local(local, style.separator == '\0' ? 'T' : style.separator, style.fraction);
  return style.zone_in_text ? text + "+00:00" : text;
}

/// 64 bits hold the years 1678 to 2261.
Value encode_nanoseconds(Duration since_epoch, const TimeStyle& style) {
  constexpr std::int64_t k_most = std::numeric_limits<std::int64_t>::max() / k_ns_per_us;
  if (since_epoch.count() > k_most || since_epoch.count() < -k_most) {
    throw Error{ExitCode::failed,
                fmt::format("a time outside of the years 1678 to 2261 cannot be written as '{}'", style.name)};
  }
  return std::int64_t{since_epoch.count() * k_ns_per_us};
}

}  // namespace

TimeFact decode_time(const Value& value, const ColumnEncoding& encoding) {
  if (is_null(value)) {
    return {};
  }
  for (const TimeStyle& style : encoding.read) {
    if (const auto at = decode_with(value, style)) {
      return {TimeFact::State::known, *at, {}};
    }
  }
  return {TimeFact::State::unreadable, {}, to_display(value)};
}

Value encode_time(Instant at, const TimeStyle& style) {
  using std::chrono::floor;
  const auto since_epoch = at.time_since_epoch();
  switch (style.format) {
    case TimeFormat::timestamptz: {
      const LocalTime local = wall_clock(at, std::nullopt, style.name);
      return format_local(local, ' ', digits_needed(local)) + "+00";
    }
    case TimeFormat::naive: {
      const LocalTime local = wall_clock(at, style.zone, style.name);
      return format_local(local, ' ', digits_needed(local));
    }
    case TimeFormat::text:
      return encode_text(at, style);
    case TimeFormat::unix_s:
      return std::int64_t{floor<seconds>(since_epoch).count()};
    case TimeFormat::unix_ms:
      return std::int64_t{floor<milliseconds>(since_epoch).count()};
    case TimeFormat::unix_us:
      return std::int64_t{since_epoch.count()};
    case TimeFormat::unix_ns:
      return encode_nanoseconds(since_epoch, style);
    case TimeFormat::unix_float:
      return static_cast<double>(since_epoch.count()) / static_cast<double>(k_us_per_s);
    case TimeFormat::julian_day: {
      const std::int64_t ms = floor<milliseconds>(since_epoch).count() + k_julian_epoch_ms;
      return static_cast<double>(ms) / static_cast<double>(k_ms_per_day);
    }
  }
  return Null{};
}

}  // namespace taskctl
