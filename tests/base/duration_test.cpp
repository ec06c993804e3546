#include "base/duration.hpp"

#include <catch2/catch.hpp>

#include "base/error.hpp"

using namespace taskctl;
using namespace std::chrono_literals;

namespace {

Duration hours_or_units(std::string_view text) {
  return parse_duration(text, BareNumber::hours, "--max-age");
}

std::string reason(std::string_view text, BareNumber bare = BareNumber::hours) {
  try {
    (void)parse_duration(text, bare, "--max-age");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::usage);
    CHECK(error.hint().find("1h30m") != std::string::npos);
    return error.message();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("durations with units") {
  CHECK(hours_or_units("90s") == 90s);
  CHECK(hours_or_units("30m") == 30min);
  CHECK(hours_or_units("1h30m") == 90min);
  CHECK(hours_or_units("2d") == 48h);
  CHECK(hours_or_units("1w2d3h4m5s") == 7 * 24h + 2 * 24h + 3h + 4min + 5s);
  CHECK(hours_or_units("0s") == 0s);
  CHECK(hours_or_units("100h") == 100h);
  CHECK(hours_or_units("36524d") == 36524 * 24h);
  CHECK(parse_duration("5m", BareNumber::refused, "--lock-wait") == 5min);
  CHECK(parse_duration("500ms", BareNumber::refused, "--lock-timeout") == 500ms);
  CHECK(parse_duration("1m500ms", BareNumber::refused, "--lock-timeout") == 60s + 500ms);
}

TEST_CASE("a bare number means hours where that is allowed") {
  CHECK(hours_or_units("6") == 6h);
  CHECK(hours_or_units("0.5") == 30min);
  CHECK(hours_or_units("1.25") == 75min);
  CHECK(hours_or_units("0") == 0h);
  CHECK(hours_or_units("0.000000001") == 3us);
  CHECK(hours_or_units("876582.0") == 876582h);
  CHECK(reason("6", BareNumber::refused) == "'--max-age' needs a unit: '6'");
  CHECK(reason("0.5", BareNumber::refused) == "'--max-age' needs a unit: '0.5'");
}

TEST_CASE("wrong durations say what is wrong and where") {
  CHECK(reason("-1") == "'--max-age' must not be negative: '-1'");
  CHECK(reason("-5m") == "'--max-age' must not be negative: '-5m'");
  CHECK(reason("1e99") == "'--max-age' is not a duration: '1e99'");
  CHECK(reason("6 hours") == "'--max-age' is not a duration: '6 hours'");
  CHECK(reason("") == "'--max-age' is empty: ''");
  CHECK(reason("010") == "'--max-age' has a number with a leading zero: '010'");
  CHECK(reason("05m") == "'--max-age' has a number with a leading zero: '05m'");
  CHECK(reason("00.5") == "'--max-age' has a number with a leading zero: '00.5'");
  CHECK(reason("1h30") == "'--max-age' has a number without a unit: '1h30'");
  CHECK(reason("30m1h") == "'--max-age' must name each unit once, the largest first: '30m1h'");
  CHECK(reason("1h1h") == "'--max-age' must name each unit once, the largest first: '1h1h'");
  CHECK(reason("200y") == "'--max-age' is not a duration: '200y'");
  CHECK(reason("36525d") == "'--max-age' is longer than 100 years: '36525d'");
  CHECK(reason("876583") == "'--max-age' is longer than 100 years: '876583'");
  CHECK(reason("9999999999w") == "'--max-age' is longer than 100 years: '9999999999w'");
  CHECK(reason("99999999999999999999s") == "'--max-age' is longer than 100 years: '99999999999999999999s'");
}

TEST_CASE("no other spelling is a duration") {
  for (const char* text :
       {"h",    "+1h", "1H",  "1M",  "1 h",   " 1h",       "1h ",          "1.5h", ".5",   "6.", "1.2.3",
        "0x10", "nan", "inf", "1,5", "100us", "5sm", "1ms1s", "1h30m0.5s", "0.1234567890", "٣h",   "1h\n", "--", "1h-30m"}) {
    CAPTURE(text);
    CHECK(reason(text) != "accepted");
  }
  CHECK(reason(std::string_view{"1h\0", 3}) == "'--max-age' is not a duration: '1h\\x00'");
  CHECK(reason(std::string(10000, 'h')).size() < 200);
}

TEST_CASE("ages show their two most significant units") {
  CHECK(format_age(0s) == "0s");
  CHECK(format_age(999ms) == "0s");
  CHECK(format_age(59s) == "59s");
  CHECK(format_age(60s) == "1m");
  CHECK(format_age(5min + 30s) == "5m30s");
  CHECK(format_age(1h) == "1h");
  CHECK(format_age(1h + 59s) == "1h");
  CHECK(format_age(66h + 49min + 59s) == "66h49m");
  CHECK(format_age(99h + 59min) == "99h59m");
  CHECK(format_age(100h) == "4d4h");
  CHECK(format_age(96h + 4h + 59min) == "4d4h");
  CHECK(format_age(5 * 24h) == "5d");
  CHECK(format_age(2024 * 365 * 24h) == "738760d");
  CHECK(format_age(-(5min + 2s)) == "-5m2s");
  CHECK(format_age(-500ms) == "0s");
}

TEST_CASE("a formatted duration reads back as itself") {
  CHECK(format_duration(90min) == "1h30m");
  CHECK(format_duration(0s) == "0s");
  CHECK(format_duration(48h) == "2d");
  CHECK(format_duration(1500ms) == "1s500ms");
  CHECK(format_duration(7 * 24h) == "7d");
  for (const Duration duration :
       {Duration{0s}, Duration{59s}, Duration{61min}, Duration{25h + 1s}, Duration{36524 * 24h}}) {
    CHECK(parse_duration(format_duration(duration), BareNumber::refused, "x") == duration);
  }
}
