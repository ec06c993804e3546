#include "engine/guess_times.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "base/timestamp.hpp"
#include "sql/column_type.hpp"

namespace taskctl {

namespace {

constexpr auto k_formats = std::to_array<std::pair<TimeFormat, std::string_view>>({
    {TimeFormat::timestamptz, "timestamptz"},
    {TimeFormat::naive, "naive"},
    {TimeFormat::text, "text"},
    {TimeFormat::unix_s, "unix-s"},
    {TimeFormat::unix_ms, "unix-ms"},
    {TimeFormat::unix_us, "unix-us"},
    {TimeFormat::unix_ns, "unix-ns"},
    {TimeFormat::unix_float, "unix-float"},
    {TimeFormat::julian_day, "julian-day"},
});

constexpr Instant k_first_plausible{std::chrono::sys_days{std::chrono::year{1990} / 1 / 1}};
constexpr Instant k_last_plausible{std::chrono::sys_days{std::chrono::year{2100} / 1 / 1}};

std::optional<Instant> read_as(const Value& value, const TimeStyle& style) {
  const TimeFact fact = decode_time(value, {{style}, style});
  const bool plausible = fact.known() && fact.at >= k_first_plausible && fact.at < k_last_plausible;
  return plausible ? std::optional{fact.at} : std::nullopt;
}

/// Digits of the fraction in a text, 0 to 6.
int fraction_digits(const std::string& text) {
  const std::size_t dot = text.find('.');
  if (dot == std::string::npos) {
    return 0;
  }
  constexpr int k_most = 6;
  int digits = 0;
  while (digits < k_most && dot + 1 + static_cast<std::size_t>(digits) < text.size() &&
         std::isdigit(static_cast<unsigned char>(text[dot + 1 + static_cast<std::size_t>(digits)])) != 0) {
    ++digits;
  }
  return digits;
}

/// What the texts of a column have in common.
struct TextShape {
  std::size_t with_zone = 0, with_t = 0, with_blank = 0;
  int fraction = 0;

  void see(const std::string& text) {
    if (const auto parsed = parse_timestamp_text(text)) {
      with_zone += parsed->offset ? 1U : 0U;
      (parsed->separator == 'T' ? with_t : with_blank) += 1;
      fraction = std::max(fraction, fraction_digits(text));
    }
  }
  [[nodiscard]] bool seen() const { return with_t + with_blank > 0; }
  [[nodiscard]] bool zoneless() const { return with_zone < with_t + with_blank; }
  [[nodiscard]] TimeStyle style(const Zone& zone) const {
    TimeStyle style;
    style.format = TimeFormat::text;
    style.fraction = fraction;
    if (with_t == 0 || with_blank == 0) {
      style.separator = with_blank == 0 ? 'T' : ' ';
    }
    if (zoneless()) {
      style.zone = zone;
    } else {
      style.zone_in_text = true;
    }
    return style;
  }
};

bool is_fractional(const Value& value) {
  if (const auto* real = std::get_if<double>(&value)) {
    return std::trunc(*real) != *real;
  }
  const auto* text = std::get_if<std::string>(&value);
  return text != nullptr && text->find('.') != std::string::npos;
}

/// Each number has one plausible unit: the ranges of 1990 to 2100 do not overlap.
std::optional<TimeFormat> unit_of(const Value& value) {
  for (const TimeFormat format :
       {TimeFormat::unix_s, TimeFormat::unix_ms, TimeFormat::unix_us, TimeFormat::unix_ns, TimeFormat::julian_day}) {
    if (read_as(value, {.format = format})) {
      return format == TimeFormat::unix_s && is_fractional(value) ? TimeFormat::unix_float : format;
    }
  }
  return std::nullopt;
}

std::string shape_words(const TimeStyle& style) {
  std::string text{format_name(style.format)};
  if (style.separator != '\0') {
    text += style.separator == 'T' ? " with 'T'" : " with a blank";
  }
  return text;
}

bool is_real_type(const ColumnInfo& column, Engine engine) {
  return engine == Engine::postgres
             ? column.type == "double precision" || column.type == "real" || column.type.starts_with("numeric")
             : affinity_of(column.type) == Affinity::real;
}

/// The styles of a column whose type does not tell, most frequent first.
std::vector<TimeStyle> styles_of(const ColumnInfo& column, Engine engine, const std::vector<Value>& values,
                                 const Zone& zone, EncodingGuess& guess) {
  // PostgreSQL compares no text with a number; SQLite reads '1762506060' as one.
  const bool may_be_number = engine == Engine::sqlite || postgres_family(column.type) != TypeFamily::text;
  std::map<TimeFormat, std::size_t> numbers;
  TextShape texts;
  for (const Value& value : values) {
    const auto* text = std::get_if<std::string>(&value);
    if (text != nullptr && parse_timestamp_text(*text)) {
      texts.see(*text);
    } else if (const auto unit = unit_of(value); unit && may_be_number) {
      ++numbers[*unit];
    }
  }
  // Seconds with a fraction: those without one are of the same writer.
  if (numbers.contains(TimeFormat::unix_s) &&
      (numbers.contains(TimeFormat::unix_float) || is_real_type(column, engine))) {
    numbers[TimeFormat::unix_float] += numbers.extract(TimeFormat::unix_s).mapped();
  }
  std::vector<std::pair<std::size_t, TimeStyle>> counted;
  for (const auto& [format, count] : numbers) {
    counted.emplace_back(count, TimeStyle{.format = format});
  }
  if (texts.seen()) {
    counted.emplace_back(texts.with_t + texts.with_blank, texts.style(zone));
    guess.zoneless = texts.zoneless();
    guess.two_shapes = texts.with_t > 0 && texts.with_blank > 0;
  }
  std::ranges::stable_sort(counted, [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<TimeStyle> styles;
  for (auto& [count, style] : counted) {
    styles.push_back(std::move(style));
  }
  return styles;
}

}  // namespace

std::string_view format_name(TimeFormat format) {
  return std::ranges::find(k_formats, format, &std::pair<TimeFormat, std::string_view>::first)->second;
}

bool is_time_type(const ColumnInfo& column, Engine engine) {
  return engine == Engine::postgres && !column.type.ends_with("]") &&
         (column.type.starts_with("timestamp") || column.type == "date");
}

bool may_hold_time(const ColumnInfo& column, Engine engine) {
  if (engine == Engine::sqlite || is_time_type(column, engine)) {
    return true;
  }
  const TypeFamily family = postgres_family(column.type);
  return family == TypeFamily::text || family == TypeFamily::integer || is_real_type(column, engine);
}

EncodingGuess guess_encoding(const ColumnInfo& column, Engine engine, const std::vector<Value>& values,
                             const Zone& zone) {
  EncodingGuess guess;
  guess.seen = values.size();
  if (is_time_type(column, engine)) {
    const bool with_zone = column.type.ends_with("with time zone");
    guess.zoneless = !with_zone;
    guess.read.push_back(with_zone ? TimeStyle{.format = TimeFormat::timestamptz}
                                   : TimeStyle{.format = TimeFormat::naive, .zone = zone});
    guess.why = "type " + column.type;
  } else {
    guess.read = styles_of(column, engine, values, zone, guess);
    std::vector<std::string> shapes;
    std::ranges::transform(guess.read, std::back_inserter(shapes), shape_words);
    guess.why = guess.known() ? fmt::format("{} values look like {}", values.size(), join(shapes, " and "))
                              : "no value says how times are written";
  }
  for (const Value& value : guess.known() ? values : std::vector<Value>{}) {
    const TimeFact fact = decode_time(value, guess.encoding());
    const bool known = fact.known();
    guess.unread += known ? 0U : 1U;
    if (known && (!guess.newest || *guess.newest < fact.at)) {
      guess.newest = fact.at;
    }
  }
  if (guess.unread > 0) {
    guess.why += fmt::format("; {} of them cannot be read as a time", guess.unread);
  }
  return guess;
}

TimeStyle named_style(const std::string& format, const Zone& zone) {
  const auto found = std::ranges::find(k_formats, format, &std::pair<TimeFormat, std::string_view>::second);
  if (found == k_formats.end()) {
    std::vector<std::string> names;
    std::ranges::transform(k_formats, std::back_inserter(names),
                           [](const auto& entry) { return std::string{entry.second}; });
    throw Error{ExitCode::usage, fmt::format("--encoding: unknown format '{}'", printable(format)),
                fmt::format("A column's times are written as one of: {}.", join(names, ", "))};
  }
  TimeStyle style{.format = found->first};
  if (style.format == TimeFormat::naive || style.format == TimeFormat::text) {
    style.zone = zone;
  }
  return style;
}

}  // namespace taskctl
