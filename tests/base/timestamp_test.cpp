#include "base/timestamp.hpp"

#include <catch2/catch.hpp>

#include "base/error.hpp"

using namespace taskctl;
using namespace std::chrono_literals;

namespace {

LocalTime local(int year, unsigned month, unsigned day, std::chrono::microseconds time) {
  return std::chrono::local_days{std::chrono::year{year} / std::chrono::month{month} / std::chrono::day{day}} + time;
}

std::string reason(const char* text) {
  try {
    (void)parse_instant(text, "--now");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::usage);
    CHECK(error.hint().find("2025-12-19T08:54:56Z") != std::string::npos);
    return error.message();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("text timestamps are taken apart") {
  const auto parsed = parse_timestamp_text("2025-12-19T16:54:56.123456789+08:00");
  REQUIRE(parsed);
  CHECK(parsed->local == local(2025, 12, 19, 16h + 54min + 56s + 123456us));
  CHECK(parsed->separator == 'T');
  REQUIRE(parsed->offset);
  CHECK(*parsed->offset == 8h);

  const auto naive = parse_timestamp_text("2025-11-07 17:28:47.5");
  REQUIRE(naive);
  CHECK(naive->local == local(2025, 11, 7, 17h + 28min + 47s + 500ms));
  CHECK(naive->separator == ' ');
  CHECK_FALSE(naive->offset);
}

TEST_CASE("zones of a text timestamp") {
  const auto offset = [](const char* zone) {
    const auto parsed = parse_timestamp_text(std::string{"2025-01-01T00:00:00"} + zone);
    REQUIRE(parsed);
    REQUIRE(parsed->offset);
    return *parsed->offset;
  };
  CHECK(offset("Z") == 0min);
  CHECK(offset("z") == 0min);
  CHECK(offset(" Z") == 0min);
  CHECK(offset("+00") == 0min);
  CHECK(offset("-00:00") == 0min);
  CHECK(offset("-03:30") == -(3h + 30min));
  CHECK(offset("+0545") == 5h + 45min);
  CHECK(offset(" +14:00") == 14h);
}

TEST_CASE("short and extreme timestamps") {
  CHECK(parse_timestamp_text("2025-01-01 10:20")->local == local(2025, 1, 1, 10h + 20min));
  CHECK(parse_timestamp_text("2025-01-01t10:20z")->separator == 'T');
  CHECK(parse_timestamp_text("0001-01-01 00:00:00")->local == local(1, 1, 1, 0us));
  CHECK(parse_timestamp_text("9999-12-31 23:59:59.999999999")->local ==
        local(9999, 12, 31, 23h + 59min + 59s + 999999us));
  CHECK(parse_timestamp_text("2024-02-29 00:00:00"));
  CHECK(parse_timestamp_text("2000-02-29 00:00:00"));
}

TEST_CASE("anything else is not a timestamp") {
  for (const char* text : {"",
                           "now",
                           "2025-01-01",
                           "2025-01-01 ",
                           "2025-1-1 00:00:00",
                           "25-01-01 00:00:00",
                           "0000-01-01 00:00:00",
                           "10000-01-01 00:00:00",
                           "-001-01-01 00:00:00",
                           "2025-00-01 00:00:00",
                           "2025-13-01 00:00:00",
                           "2025-02-29 00:00:00",
                           "1900-02-29 00:00:00",
                           "2025-04-31 00:00:00",
                           "2025-01-00 00:00:00",
                           "2025-01-01 24:00:00",
                           "2025-01-01 23:60:00",
                           "2025-01-01 23:59:60",
                           "2025-01-01 1:00:00",
                           "2025-01-01 10",
                           "2025-01-01 10:00:",
                           "2025-01-01 10:00:00.",
                           "2025-01-01 10:00:00,5",
                           "2025-01-01  10:00:00",
                           "2025-01-01_10:00:00",
                           " 2025-01-01 10:00:00",
                           "2025-01-01 10:00:00 ",
                           "2025-01-01 10:00:00  Z",
                           "2025-01-01 10:00:00 UTC",
                           "2025-01-01 10:00:00+8",
                           "2025-01-01 10:00:00+16:00",
                           "2025-01-01 10:00:00+08:60",
                           "2025-01-01 10:00:00+08:",
                           "2025-01-01 10:00:00+080",
                           "2025-01-01 10:00:00+08:00x",
                           "2025-01-01 10:00:00ZZ",
                           "2025/01/01 10:00:00",
                           "1766134496",
                           "20250101T100000",
                           "0044-03-15 12:00:00 BC",
                           "infinity"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_timestamp_text(text));
  }
  CHECK_FALSE(parse_timestamp_text(std::string_view{"2025-01-01 10:00:00\0", 20}));
}

TEST_CASE("an instant needs a zone") {
  CHECK(format_instant(parse_instant("2025-12-19T16:54:56+08:00", "--now")) == "2025-12-19T08:54:56Z");
  CHECK(format_instant(parse_instant("2025-12-31T23:30:00.25-01:00", "--now")) == "2026-01-01T00:30:00.250000Z");
  CHECK(reason("2025-12-19T16:54:56") == "'--now' names no zone: '2025-12-19T16:54:56'");
  CHECK(reason("yesterday") == "'--now' is not a time: 'yesterday'");
  CHECK(reason("") == "'--now' is not a time: ''");
  CHECK(reason("\x1b[2J") == "'--now' is not a time: '\\x1b[2J'");
  CHECK(reason(std::string(10000, '9').c_str()).size() < 200);
}

TEST_CASE("instants are written in utc") {
  CHECK(format_instant(Instant{}) == "1970-01-01T00:00:00Z");
  CHECK(format_instant(Instant{1us}) == "1970-01-01T00:00:00.000001Z");
  CHECK(format_instant(Instant{-1us}) == "1969-12-31T23:59:59.999999Z");
  CHECK(format_instant(parse_instant("0001-01-01T00:00:00Z", "x")) == "0001-01-01T00:00:00Z");
  CHECK(format_instant(parse_instant("9999-12-31T23:59:59.999999Z", "x")) == "9999-12-31T23:59:59.999999Z");
  CHECK(format_compact(parse_instant("2025-12-19T16:54:56.9+08:00", "x")) == "20251219_085456");
}

TEST_CASE("local times are written with the digits that are asked for") {
  const LocalTime time = local(2025, 7, 18, 9h + 5min + 7s + 123987us);
  CHECK(format_local(time, ' ', 0) == "2025-07-18 09:05:07");
  CHECK(format_local(time, 'T', 1) == "2025-07-18T09:05:07.1");
  CHECK(format_local(time, 'T', 3) == "2025-07-18T09:05:07.123");
  CHECK(format_local(time, 'T', 6) == "2025-07-18T09:05:07.123987");
  CHECK(format_local(local(2025, 7, 18, 5us), ' ', 6) == "2025-07-18 00:00:00.000005");
}

TEST_CASE("offsets alone") {
  CHECK(parse_utc_offset("Z") == 0min);
  CHECK(parse_utc_offset("-15:59") == -(15h + 59min));
  for (const char* text : {"", "08:00", "+", "+8", "+8:00", "+08:0", "+16", "UTC", " +08:00", "+08:00 "}) {
    CAPTURE(text);
    CHECK_FALSE(parse_utc_offset(text));
  }
}
