#include "base/duration.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/error.hpp"
#include "base/text.hpp"

namespace taskctl {

namespace {

struct Unit {
  std::string_view name;
  std::chrono::milliseconds length;
};

constexpr auto k_units = std::to_array<Unit>({
    {"w", std::chrono::weeks{1}},
    {"d", std::chrono::days{1}},
    {"h", std::chrono::hours{1}},
    {"m", std::chrono::minutes{1}},
    {"s", std::chrono::seconds{1}},
    {"ms", std::chrono::milliseconds{1}},
});

constexpr std::chrono::milliseconds k_longest = std::chrono::years{100};
/// More digits than the longest duration has in seconds; keeps every sum of milliseconds within 64 bits.
constexpr std::size_t k_most_digits = 10;
/// Of an hour: 3.6 µs. Keeps the product below within 64 bits.
constexpr std::size_t k_most_fraction_digits = 9;
constexpr std::string_view k_digits = "0123456789";

/// Reads one text; every refusal names the option.
class DurationReader {
 public:
  DurationReader(std::string_view text, BareNumber bare, std::string_view option)
      : m_text{text}, m_rest{text}, m_bare{bare}, m_option{option} {}

  Duration read() {
    if (m_text.empty()) {
      refuse("is empty");
    }
    if (m_text.front() == '-') {
      refuse("must not be negative");
    }
    return m_text.find_first_not_of("0123456789.") == std::string_view::npos ? bare_number() : units();
  }

 private:
  [[noreturn]] void refuse(std::string_view what) const {
    throw Error{ExitCode::usage, fmt::format("'{}' {}: '{}'", m_option, what, truncate_to_width(printable(m_text), 80)),
                m_bare == BareNumber::hours ? "Write it like 90s, 30m, 1h30m or 2d; a number alone means hours."
                                            : "Write it like 90s, 30m, 1h30m or 2d."};
  }

  void check(std::chrono::milliseconds duration) const {
    if (duration > k_longest) {
      refuse("is longer than 100 years");
    }
  }

  Duration units() {
    std::chrono::milliseconds total{};
    std::size_t next_unit = 0;
    while (!m_rest.empty()) {
      const std::int64_t number = take_number();
      if (m_rest.empty()) {
        refuse("has a number without a unit");
      }
      total += number * take_unit(next_unit).length;
      check(total);
    }
    return total;
  }

  Duration bare_number() {
    if (m_bare == BareNumber::refused) {
      refuse("needs a unit");
    }
    const std::chrono::hours whole{take_number()};
    check(whole);
    if (m_rest.empty()) {
      return whole;
    }
    const std::string_view fraction = m_rest.substr(1);
    if (fraction.empty() || fraction.size() > k_most_fraction_digits ||
        fraction.find_first_not_of(k_digits) != std::string_view::npos) {
      refuse("is not a duration");
    }
    std::int64_t numerator = 0;
    std::int64_t denominator = 1;
    for (const char digit : fraction) {
      numerator = numerator * 10 + (digit - '0');
      denominator *= 10;
    }
    return whole + Duration{std::chrono::hours{1}} * numerator / denominator;
  }

  std::int64_t take_number() {
    const std::size_t size = std::min(m_rest.find_first_not_of(k_digits), m_rest.size());
    if (size == 0) {
      refuse("is not a duration");
    }
    if (size > 1 && m_rest.front() == '0') {
      refuse("has a number with a leading zero");
    }
    if (size > k_most_digits) {
      refuse("is longer than 100 years");
    }
    std::int64_t value = 0;
    for (const char digit : m_rest.substr(0, size)) {
      value = value * 10 + (digit - '0');
    }
    m_rest.remove_prefix(size);
    return value;
  }

  /// The unit at the front, which must stand at `next` or behind it in the table.
  const Unit& take_unit(std::size_t& next) {
    const std::string_view name = m_rest.substr(0, m_rest.find_first_of(k_digits));
    for (std::size_t i = 0; i < k_units.size(); ++i) {
      if (k_units[i].name == name) {
        if (i < next) {
          refuse("must name each unit once, the largest first");
        }
        next = i + 1;
        m_rest.remove_prefix(name.size());
        return k_units[i];
      }
    }
    refuse("is not a duration");
  }

  std::string_view m_text;
  std::string_view m_rest;
  BareNumber m_bare;
  std::string_view m_option;
};

/// The digits and letters of at most `most` units from `duration`, which is not negative; units of zero are left out.
std::string format_units(std::chrono::milliseconds duration, std::size_t first, std::size_t most) {
  std::string text;
  for (std::size_t i = first; i < k_units.size() && i < first + most; ++i) {
    const Unit& unit = k_units[i];
    if (duration >= unit.length) {
      text += fmt::format("{}{}", duration / unit.length, unit.name);
      duration %= unit.length;
    }
  }
  return text.empty() ? "0s" : text;
}

constexpr std::size_t k_days = 1, k_hours = 2, k_seconds = 4;

/// The duration without its sign, in whole units.
template <typename Unit>
std::chrono::milliseconds magnitude(Duration duration) {
  return std::chrono::abs(std::chrono::duration_cast<Unit>(duration));
}

template <typename Unit>
std::string sign_of(Duration duration) {
  return duration <= -Unit{1} ? "-" : "";
}

}  // namespace

Duration parse_duration(std::string_view text, BareNumber bare, std::string_view option) {
  return DurationReader{text, bare, option}.read();
}

std::string format_age(Duration age) {
  const std::chrono::milliseconds whole = magnitude<std::chrono::seconds>(age);
  std::size_t first = whole < std::chrono::hours{100} ? k_hours : k_days;
  while (first < k_seconds && whole < k_units[first].length) {
    ++first;
  }
  return sign_of<std::chrono::seconds>(age) + format_units(whole, first, 2);
}

std::string format_duration(Duration duration) {
  using Smallest = std::chrono::milliseconds;
  return sign_of<Smallest>(duration) + format_units(magnitude<Smallest>(duration), k_days, k_units.size());
}

}  // namespace taskctl
