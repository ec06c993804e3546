#include "base/zone.hpp"

#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "base/timestamp.hpp"

using namespace taskctl;
using namespace std::chrono_literals;

namespace {

/// The instant of a wall-clock time in a zone, as text.
std::string utc(const Zone& zone, const char* local) {
  const auto parsed = parse_timestamp_text(local);
  REQUIRE(parsed);
  return format_instant(zone.to_instant(parsed->local));
}

std::string wall_clock(const Zone& zone, const char* instant) {
  return format_local(zone.to_local(parse_instant(instant, "test")), ' ', 0);
}

std::string hint_of(const char* name) {
  try {
    (void)Zone::find(name);
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::usage);
    CHECK(error.message().find("unknown time zone") == 0);
    return error.hint();
  }
  return "found";
}

}  // namespace

TEST_CASE("fixed offsets have one name each") {
  CHECK(Zone::find("UTC") == Zone::utc());
  CHECK(Zone::find("Z") == Zone::utc());
  CHECK(Zone::find("+00:00") == Zone::utc());
  CHECK(Zone::find("-00").name() == "UTC");
  CHECK(Zone::find("+0800") == Zone::find("+08:00"));
  CHECK(Zone::find("+08").name() == "+08:00");
  CHECK(Zone::find("-0330").name() == "-03:30");
  CHECK_FALSE(Zone::find("+08:00") == Zone::utc());
}

TEST_CASE("fixed offsets convert both ways") {
  const Zone zone = Zone::find("+08:00");
  CHECK(utc(zone, "2025-12-19 16:54:56") == "2025-12-19T08:54:56Z");
  CHECK(wall_clock(zone, "2025-12-19T08:54:56Z") == "2025-12-19 16:54:56");
  CHECK(utc(Zone::find("-03:30"), "2025-01-01 00:00:00") == "2025-01-01T03:30:00Z");
}

TEST_CASE("named zones convert both ways") {
  CHECK(utc(Zone::find("Asia/Singapore"), "2025-11-07 17:28:47.687091") == "2025-11-07T09:28:47.687091Z");
  CHECK(wall_clock(Zone::find("Asia/Shanghai"), "2025-12-19T08:54:56Z") == "2025-12-19 16:54:56");
  CHECK(utc(Zone::find("Europe/Berlin"), "2025-07-01 12:00:00") == "2025-07-01T10:00:00Z");
  CHECK(utc(Zone::find("Europe/Berlin"), "2025-01-01 12:00:00") == "2025-01-01T11:00:00Z");
  CHECK(Zone::find("Europe/Berlin").name() == "Europe/Berlin");
}

TEST_CASE("an hour that does not exist is the moment of the change") {
  const Zone berlin = Zone::find("Europe/Berlin");
  CHECK(utc(berlin, "2025-03-30 01:59:59.999999") == "2025-03-30T00:59:59.999999Z");
  CHECK(utc(berlin, "2025-03-30 02:00:00") == "2025-03-30T01:00:00Z");
  CHECK(utc(berlin, "2025-03-30 02:30:00") == "2025-03-30T01:00:00Z");
  CHECK(utc(berlin, "2025-03-30 02:59:59.999999") == "2025-03-30T01:00:00Z");
  CHECK(utc(berlin, "2025-03-30 03:00:00") == "2025-03-30T01:00:00Z");
  CHECK(utc(Zone::find("America/New_York"), "2025-03-09 02:15:00") == "2025-03-09T07:00:00Z");
}

TEST_CASE("an hour that happens twice is the later one") {
  const Zone berlin = Zone::find("Europe/Berlin");
  CHECK(utc(berlin, "2025-10-26 01:59:59") == "2025-10-25T23:59:59Z");
  CHECK(utc(berlin, "2025-10-26 02:00:00") == "2025-10-26T01:00:00Z");
  CHECK(utc(berlin, "2025-10-26 02:59:59") == "2025-10-26T01:59:59Z");
  CHECK(utc(berlin, "2025-10-26 03:00:00") == "2025-10-26T02:00:00Z");
  CHECK(utc(Zone::find("Australia/Lord_Howe"), "2025-04-06 01:45:00") == "2025-04-05T15:15:00Z");  // half an hour
  CHECK(wall_clock(berlin, "2025-10-26T00:30:00Z") == "2025-10-26 02:30:00");
  CHECK(wall_clock(berlin, "2025-10-26T01:30:00Z") == "2025-10-26 02:30:00");
}

TEST_CASE("the first and the last year survive") {
  for (const char* name : {"UTC", "+08:00", "Asia/Singapore", "Europe/Berlin", "America/New_York"}) {
    CAPTURE(name);
    const Zone zone = Zone::find(name);
    for (const char* text :
         {"0001-01-01 00:00:00", "0001-12-31 23:59:59", "9999-01-01 00:00:00", "9999-12-31 23:59:59"}) {
      const LocalTime local = parse_timestamp_text(text)->local;
      CHECK(format_local(zone.to_local(zone.to_instant(local)), ' ', 0) == text);
    }
  }
}

TEST_CASE("summers after the last listed change are read younger and never older") {
  const Zone berlin = Zone::find("Europe/Berlin");
  CHECK(utc(berlin, "2037-07-01 12:00:00") == "2037-07-01T10:00:00Z");
  const std::string later = utc(berlin, "2040-07-01 12:00:00");
  CHECK((later == "2040-07-01T11:00:00Z" || later == "2040-07-01T10:00:00Z"));
}

TEST_CASE("unknown zones name the nearest") {
  CHECK(hint_of("Asia/Singapur") == "Did you mean 'Asia/Singapore'?");
  CHECK(hint_of("europe/berlin") == "Did you mean 'Europe/Berlin'?");
  CHECK(hint_of("utc").find("UTC") != std::string::npos);
  CHECK(hint_of("Middle-earth/Bree").find("Asia/Singapore") != std::string::npos);
  CHECK(hint_of("").find("+08:00") != std::string::npos);
  CHECK(hint_of("+25:00") != "found");
  CHECK(hint_of("../../../etc/passwd") != "found");
  CHECK(hint_of("/etc/localtime") != "found");
}
