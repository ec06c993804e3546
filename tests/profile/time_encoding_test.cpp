#include <cmath>
#include <limits>

#include <catch2/catch.hpp>

#include "base/timestamp.hpp"
#include "profile/profile_reader.hpp"
#include "profile/time_encoding.hpp"

using namespace taskctl;
using namespace std::chrono_literals;

namespace {

TimeStyle style(TimeFormat format) {
  TimeStyle result;
  result.name = "style";
  result.format = format;
  return result;
}

TimeStyle text_style(const char* zone, char separator = '\0', int fraction = 0) {
  TimeStyle result = style(TimeFormat::text);
  result.zone = Zone::find(zone);
  result.separator = separator;
  result.fraction = fraction;
  return result;
}

TimeStyle naive_style(const char* zone) {
  TimeStyle result = style(TimeFormat::naive);
  result.zone = Zone::find(zone);
  return result;
}

TimeFact decode(const Value& value, const TimeStyle& how) {
  return decode_time(value, {{how}, how});
}

Instant at(const char* text) {
  return parse_instant(text, "test");
}

/// "2025-…Z", or how it is not known.
std::string shown(const TimeFact& fact) {
  if (fact.known()) {
    return format_instant(fact.at);
  }
  return fact.absent() ? "absent" : "unreadable " + fact.raw;
}

std::string text_of(const Value& value) {
  return std::get<std::string>(value);
}

std::string us_of(const char* wall_clock) {
  return std::to_string(at(wall_clock).time_since_epoch().count());
}

}  // namespace

TEST_CASE("decode - null is absent in every format") {
  for (const TimeFormat format : {TimeFormat::timestamptz, TimeFormat::text, TimeFormat::unix_s, TimeFormat::unix_float,
                                  TimeFormat::julian_day}) {
    CHECK(decode(Null{}, style(format)).absent());
  }
  CHECK(decode(Null{}, naive_style("UTC")).absent());
}

TEST_CASE("decode - numbers with their units") {
  const std::string expected = "2025-07-18T11:45:00Z";
  CHECK(shown(decode(std::int64_t{1752839100}, style(TimeFormat::unix_s))) == expected);
  CHECK(shown(decode(std::int64_t{1752839100000}, style(TimeFormat::unix_ms))) == expected);
  CHECK(shown(decode(std::int64_t{1752839100000000}, style(TimeFormat::unix_us))) == expected);
  CHECK(shown(decode(std::int64_t{1752839100000000000}, style(TimeFormat::unix_ns))) == expected);
  CHECK(shown(decode(std::string{"1752839100000000000"}, style(TimeFormat::unix_ns))) == expected);
  CHECK(shown(decode(1752839100000000000.0, style(TimeFormat::unix_ns))) == expected);
  CHECK(shown(decode(std::int64_t{1752839100000001999}, style(TimeFormat::unix_ns))) == "2025-07-18T11:45:00.000001Z");
  CHECK(shown(decode(std::int64_t{-1}, style(TimeFormat::unix_ns))) == "1969-12-31T23:59:59.999999Z");
  CHECK(shown(decode(1752839100.0, style(TimeFormat::unix_float))) == expected);
  CHECK(shown(decode(std::int64_t{1752839100}, style(TimeFormat::unix_float))) == expected);
  CHECK(shown(decode(std::string{"1752839100"}, style(TimeFormat::unix_s))) == expected);
  CHECK(shown(decode(std::string{"1752839100000"}, style(TimeFormat::unix_ms))) == expected);
  CHECK(shown(decode(1752839100000.0, style(TimeFormat::unix_ms))) == expected);
  CHECK(shown(decode(std::string{"1752839100000.0"}, style(TimeFormat::unix_ms))) == expected);
  CHECK(shown(decode(std::string{"1752839100.25"}, style(TimeFormat::unix_float))) == "2025-07-18T11:45:00.250000Z");
  CHECK(shown(decode(std::int64_t{-1}, style(TimeFormat::unix_s))) == "1969-12-31T23:59:59Z");
}

TEST_CASE("decode - what is no number is unreadable and shown as it is") {
  for (const char* raw : {"", "abc", " 1752839100", "1752839100 ", "+1", "0x10", "1e", "inf", "nan", "infinity"}) {
    CHECK(shown(decode(std::string{raw}, style(TimeFormat::unix_s))) == "unreadable " + std::string{raw});
    CHECK(decode(std::string{raw}, style(TimeFormat::unix_float)).unreadable());
    CHECK(decode(std::string{raw}, style(TimeFormat::julian_day)).unreadable());
  }
  CHECK(decode(Blob{"17"}, style(TimeFormat::unix_s)).unreadable());
  CHECK(decode(std::numeric_limits<double>::infinity(), style(TimeFormat::unix_float)).unreadable());
  CHECK(decode(std::nan(""), style(TimeFormat::unix_ms)).unreadable());
}

TEST_CASE("decode - years 1 to 9999 and nothing outside of them") {
  const TimeStyle seconds = style(TimeFormat::unix_s);
  CHECK(shown(decode(std::int64_t{-62135596800}, seconds)) == "0001-01-01T00:00:00Z");
  CHECK(shown(decode(std::int64_t{-62135596801}, seconds)) == "unreadable -62135596801");
  CHECK(shown(decode(std::int64_t{253402300799}, seconds)) == "9999-12-31T23:59:59Z");
  CHECK(decode(std::int64_t{253402300800}, seconds).unreadable());
  const TimeStyle micro = style(TimeFormat::unix_us);
  CHECK(shown(decode(std::int64_t{253402300799999999}, micro)) == "9999-12-31T23:59:59.999999Z");
  CHECK(decode(std::int64_t{253402300800000000}, micro).unreadable());
  for (const TimeFormat format : {TimeFormat::unix_s, TimeFormat::unix_ms, TimeFormat::unix_us, TimeFormat::unix_float,
                                  TimeFormat::julian_day, TimeFormat::timestamptz}) {
    CHECK(decode(std::numeric_limits<std::int64_t>::max(), style(format)).unreadable());
    CHECK(decode(std::numeric_limits<std::int64_t>::min(), style(format)).unreadable());
    CHECK(decode(1e300, style(format)).unreadable());
    CHECK(decode(std::string{"99999999999999999999999"}, style(format)).unreadable());
  }
}

TEST_CASE("decode - nanoseconds reach as far as 64 bits do") {
  const TimeStyle nano = style(TimeFormat::unix_ns);
  CHECK(shown(decode(std::numeric_limits<std::int64_t>::max(), nano)) == "2262-04-11T23:47:16.854775Z");
  CHECK(shown(decode(std::numeric_limits<std::int64_t>::min(), nano)) == "1677-09-21T00:12:43.145224Z");
  CHECK(decode(1e300, nano).unreadable());
  CHECK(decode(std::string{"99999999999999999999999"}, nano).unreadable());
}

TEST_CASE("decode - a wall clock at the ends of the calendar") {
  CHECK(shown(decode(std::string{"0001-01-01T00:00:00"}, text_style("UTC"))) == "0001-01-01T00:00:00Z");
  CHECK(shown(decode(std::string{"9999-12-31 23:59:59.999999"}, text_style("UTC"))) == "9999-12-31T23:59:59.999999Z");
  // Its instant lies in the year 0 or 10000.
  CHECK(decode(std::string{"0001-01-01T00:00:00+08:00"}, text_style("UTC")).unreadable());
  CHECK(decode(std::string{"9999-12-31T23:59:59-05:00"}, text_style("UTC")).unreadable());
  CHECK(decode(std::string{"9999-12-31 23:59:59"}, text_style("-05:00")).unreadable());
  CHECK(shown(decode(std::string{"253402300799000000"}, naive_style("UTC"))) == "9999-12-31T23:59:59Z");
  CHECK(decode(std::string{"253402300800000000"}, naive_style("UTC")).unreadable());
}

TEST_CASE("decode - postgres hands over microseconds") {
  const std::string us = us_of("2025-11-07T17:28:47.687091Z");
  CHECK(shown(decode(us, style(TimeFormat::timestamptz))) == "2025-11-07T17:28:47.687091Z");
  CHECK(shown(decode(us, naive_style("Asia/Singapore"))) == "2025-11-07T09:28:47.687091Z");
  CHECK(shown(decode(us, naive_style("+08:00"))) == "2025-11-07T09:28:47.687091Z");
  for (const char* raw : {"infinity", "-infinity"}) {
    CHECK(shown(decode(std::string{raw}, style(TimeFormat::timestamptz))) == "unreadable " + std::string{raw});
    CHECK(shown(decode(std::string{raw}, naive_style("UTC"))) == "unreadable " + std::string{raw});
  }
}

TEST_CASE("decode - text with and without zone and separator") {
  const TimeStyle shanghai = text_style("Asia/Shanghai", 'T');
  CHECK(shown(decode(std::string{"2025-12-19T16:54:56"}, shanghai)) == "2025-12-19T08:54:56Z");
  CHECK(decode(std::string{"2025-12-19 16:54:56"}, shanghai).unreadable());
  CHECK(shown(decode(std::string{"2025-12-19T16:54:56Z"}, shanghai)) == "2025-12-19T16:54:56Z");
  CHECK(shown(decode(std::string{"2025-12-19 16:54:56+02:00"}, shanghai)) == "2025-12-19T14:54:56Z");
  const TimeStyle either = text_style("UTC");
  CHECK(either.separator == '\0');
  CHECK(decode(std::string{"2025-12-19 16:54:56"}, either).at == decode(std::string{"2025-12-19T16:54:56"}, either).at);
  for (const char* raw : {"", "yesterday", "2025-12-19", "2025-13-19T16:54:56", "1766130896", "2025-12-19T16:54:60"}) {
    CHECK(shown(decode(std::string{raw}, either)) == "unreadable " + std::string{raw});
  }
  CHECK(decode(std::int64_t{1766130896}, either).unreadable());
  CHECK(decode(Blob{"2025-12-19T16:54:56"}, either).unreadable());
}

TEST_CASE("decode - zone in the text and nowhere else") {
  TimeStyle in_text = style(TimeFormat::text);
  in_text.zone_in_text = true;
  CHECK(shown(decode(std::string{"2025-12-19T16:54:56+08:00"}, in_text)) == "2025-12-19T08:54:56Z");
  CHECK(decode(std::string{"2025-12-19T16:54:56"}, in_text).unreadable());
}

TEST_CASE("decode - julian days as sqlite writes them") {
  CHECK(shown(decode(2461028.87148148, style(TimeFormat::julian_day))) == "2025-12-19T08:54:56Z");
  CHECK(shown(decode(2440587.5, style(TimeFormat::julian_day))) == "1970-01-01T00:00:00Z");
  CHECK(shown(decode(1721425.5, style(TimeFormat::julian_day))) == "0001-01-01T00:00:00Z");
  CHECK(decode(0.0, style(TimeFormat::julian_day)).unreadable());
  CHECK(decode(-1.0, style(TimeFormat::julian_day)).unreadable());
}

TEST_CASE("decode - the first style that fits decides") {
  const ColumnEncoding mixed{{text_style("UTC"), style(TimeFormat::unix_ms), style(TimeFormat::unix_s)},
                             text_style("UTC")};
  CHECK(shown(decode_time(std::string{"2025-07-18T11:45:00"}, mixed)) == "2025-07-18T11:45:00Z");
  CHECK(shown(decode_time(std::int64_t{1752839100000}, mixed)) == "2025-07-18T11:45:00Z");
  // Too large for milliseconds of a year up to 9999, and for seconds as well.
  CHECK(decode_time(std::int64_t{1752839100000000}, mixed).unreadable());
  CHECK(shown(decode_time(std::string{"soon"}, mixed)) == "unreadable soon");
}

TEST_CASE("task-queue - both styles of one column are read and written") {
  const Profile profile = find_profile("task-queue");
  const ColumnEncoding& completed = *profile.encoding_of("task_queue", "completed_at");
  const ColumnEncoding& started = *profile.encoding_of("task_queue", "started_at");
  // Rows of the fixture: the application's local time, and the UTC of a maintenance UPDATE.
  CHECK(shown(decode_time(std::string{"2025-12-17T20:56:55.994989"}, completed)) == "2025-12-17T12:56:55.994989Z");
  CHECK(shown(decode_time(std::string{"2025-12-17 18:56:55"}, completed)) == "2025-12-17T18:56:55Z");
  // As text the first sorts behind the second; in time it is six hours before.
  CHECK(decode_time(std::string{"2025-12-17T20:56:55.994989"}, completed).at <
        decode_time(std::string{"2025-12-17 18:56:55"}, completed).at);

  const Instant now = at("2025-12-19T16:54:56.123456+08:00");
  CHECK(text_of(encode_time(now, completed.write)) == "2025-12-19 08:54:56");
  CHECK(text_of(encode_time(now, started.write)) == "2025-12-19T16:54:56.123456");
  CHECK(decode_time(encode_time(now, started.write), started).at == now);
  CHECK(shown(decode_time(encode_time(now, completed.write), completed)) == "2025-12-19T08:54:56Z");
}

TEST_CASE("encode - every format") {
  const Instant moment = at("2025-11-07T12:00:00.123456Z");
  CHECK(text_of(encode_time(moment, style(TimeFormat::timestamptz))) == "2025-11-07 12:00:00.123456+00");
  CHECK(text_of(encode_time(at("2025-11-07T12:00:00Z"), style(TimeFormat::timestamptz))) == "2025-11-07 12:00:00+00");
  CHECK(text_of(encode_time(moment, naive_style("Asia/Singapore"))) == "2025-11-07 20:00:00.123456");
  CHECK(text_of(encode_time(at("2025-11-07T12:00:00Z"), naive_style("+08:00"))) == "2025-11-07 20:00:00");
  CHECK(encode_time(moment, style(TimeFormat::unix_s)) == Value{std::int64_t{1762516800}});
  CHECK(encode_time(moment, style(TimeFormat::unix_ms)) == Value{std::int64_t{1762516800123}});
  CHECK(encode_time(moment, style(TimeFormat::unix_us)) == Value{std::int64_t{1762516800123456}});
  CHECK(encode_time(moment, style(TimeFormat::unix_ns)) == Value{std::int64_t{1762516800123456000}});
  CHECK_NOTHROW(encode_time(at("2261-12-31T23:59:59Z"), style(TimeFormat::unix_ns)));
  CHECK_THROWS_WITH(encode_time(at("2263-01-01T00:00:00Z"), style(TimeFormat::unix_ns)),
                    Catch::Contains("1678 to 2261"));
  CHECK_THROWS_WITH(encode_time(at("1677-01-01T00:00:00Z"), style(TimeFormat::unix_ns)),
                    Catch::Contains("1678 to 2261"));
  CHECK(encode_time(moment, style(TimeFormat::unix_float)) == Value{1762516800.123456});
  CHECK(text_of(encode_time(moment, text_style("UTC"))) == "2025-11-07T12:00:00");
  CHECK(text_of(encode_time(moment, text_style("UTC", ' ', 3))) == "2025-11-07 12:00:00.123");
  TimeStyle in_text = style(TimeFormat::text);
  in_text.zone_in_text = true;
  CHECK(text_of(encode_time(moment, in_text)) == "2025-11-07T12:00:00+00:00");
}

TEST_CASE("encode - cut and not rounded before 1970 too") {
  CHECK(text_of(encode_time(at("2025-11-07T12:00:00.999999Z"), text_style("UTC"))) == "2025-11-07T12:00:00");
  CHECK(encode_time(at("2025-11-07T12:00:00.999999Z"), style(TimeFormat::unix_s)) == Value{std::int64_t{1762516800}});
  CHECK(encode_time(Instant{-1us}, style(TimeFormat::unix_s)) == Value{std::int64_t{-1}});
  CHECK(encode_time(Instant{-1us}, style(TimeFormat::unix_ms)) == Value{std::int64_t{-1}});
}

TEST_CASE("encode then decode gives the same instant") {
  const std::vector<Instant> moments = {at("2025-11-07T12:00:00.123Z"), at("1970-01-01T00:00:00Z"),
                                        at("0001-01-02T00:00:00Z"),     at("9999-12-30T00:00:00Z"),
                                        at("1969-12-31T23:59:59.001Z"), at("2025-03-30T00:59:59Z"),
                                        at("2024-02-29T23:59:59.999Z")};
  const std::vector<TimeStyle> styles = {style(TimeFormat::unix_ms), style(TimeFormat::unix_us),
                                         style(TimeFormat::julian_day), text_style("Asia/Shanghai", 'T', 6),
                                         text_style("America/New_York", ' ', 3)};
  for (const Instant moment : moments) {
    for (const TimeStyle& how : styles) {
      INFO(format_instant(moment));
      CHECK(shown(decode(encode_time(moment, how), how)) == format_instant(moment));
    }
  }
}

TEST_CASE("summer time - the hour that happens twice is read as the later one") {
  // 26 October 2025, Berlin: 02:30 is 00:30Z and again 01:30Z.
  const TimeStyle berlin = text_style("Europe/Berlin", ' ');
  CHECK(shown(decode(std::string{"2025-10-26 02:30:00"}, berlin)) == "2025-10-26T01:30:00Z");
  CHECK(shown(decode(us_of("2025-10-26T02:30:00Z"), naive_style("Europe/Berlin"))) == "2025-10-26T01:30:00Z");
  CHECK(shown(decode(std::string{"2025-10-26 02:30:00+02:00"}, berlin)) == "2025-10-26T00:30:00Z");
  CHECK(text_of(encode_time(at("2025-10-26T00:30:00Z"), berlin)) == "2025-10-26 02:30:00");
  CHECK(text_of(encode_time(at("2025-10-26T01:30:00Z"), berlin)) == "2025-10-26 02:30:00");
}

TEST_CASE("summer time - the hour that does not exist is the moment of the change") {
  const TimeStyle berlin = text_style("Europe/Berlin", ' ');
  CHECK(shown(decode(std::string{"2025-03-30 02:30:00"}, berlin)) == "2025-03-30T01:00:00Z");
  CHECK(shown(decode(us_of("2025-03-30T02:30:00Z"), naive_style("Europe/Berlin"))) == "2025-03-30T01:00:00Z");
  CHECK(text_of(encode_time(at("2025-03-30T00:59:59Z"), berlin)) == "2025-03-30 01:59:59");
  CHECK(text_of(encode_time(at("2025-03-30T01:00:00Z"), berlin)) == "2025-03-30 03:00:00");
}

TEST_CASE("encode - a wall clock outside of the calendar is refused") {
  CHECK_THROWS_WITH(encode_time(at("9999-12-31T23:00:00Z"), text_style("+08:00")),
                    Catch::Contains("cannot be written as 'style'"));
  CHECK_THROWS(encode_time(at("0001-01-01T00:00:00Z"), naive_style("-05:00")));
}
