#include "cli/options.hpp"

#include <catch2/catch.hpp>
#include <chrono>

#include "parsing.hpp"

using namespace taskctl;
using namespace taskctl::test;
using namespace std::chrono_literals;

namespace {

struct ChangeCommand {
  ChangeOptions options;
  void declare(CLI::App& app) { options.declare(app, true); }
};

ChangeOptions change(const std::vector<std::string>& arguments) {
  return parsed<ChangeCommand>(arguments).options;
}

template <typename Options>
std::string bad_option(const std::vector<std::string>& arguments) {
  return error_of([&] { parsed<Options>(arguments); });
}

}  // namespace

TEST_CASE("target options") {
  const auto options = parsed<TargetOptions>({"--db", "postgres://h/d", "--profile=x", "--password-file", "p", "--now",
                                              "2025-12-19T16:54:56+08:00", "--accept-hazard", "alive",
                                              "--accept-hazard", "rls", "--lock-timeout", "30s"});
  CHECK(options.db == "postgres://h/d");
  CHECK(options.profile == "x");
  CHECK(options.password_file == "p");
  CHECK(options.now == "2025-12-19T16:54:56+08:00");
  CHECK(options.accept_hazards == std::vector<std::string>{"alive", "rls"});
  CHECK(options.lock_timeout == Duration{30s});
}

TEST_CASE("bad target options") {
  CHECK_THAT(bad_option<TargetOptions>({"--db="}), Catch::Contains("option '--db' needs a value, and it is empty"));
  CHECK_THAT(bad_option<TargetOptions>({"--target", ""}), Catch::Contains("--target"));
  for (const char* time : {"2025-12-19T16:54:56", "yesterday", "", "2025-13-01T00:00:00Z", "1766134496"}) {
    CHECK_THAT(bad_option<TargetOptions>({"--now", time}), Catch::Contains("--now"));
  }
  CHECK_THAT(bad_option<TargetOptions>({"--lock-timeout", "5"}), Catch::Contains("--lock-timeout"));
  CHECK_THAT(bad_option<TargetOptions>({"--db", "a", "--db", "b"}), Catch::Contains("--db"));
}

TEST_CASE("max age takes durations and hours") {
  const auto age = [](const std::string& text) { return parsed<AgeOptions>({"--max-age", text}).max_age; };
  CHECK(age("6") == Duration{6h});
  CHECK(age("0.5") == Duration{30min});
  CHECK(age("90s") == Duration{90s});
  CHECK(age("1h30m") == Duration{90min});
  CHECK(age("2d") == Duration{48h});
  CHECK_FALSE(parsed<AgeOptions>({}).max_age);
}

TEST_CASE("bad ages are refused by name") {
  for (const char* text : {"-1", "1e99", "6 hours", "", "010", "-5s", "1m1h", "6h ", "0x10", "nan", "inf", "99999999",
                           "1h1h", "h", "1.5h.", "+6", "١"}) {
    CHECK_THAT(bad_option<AgeOptions>({"--max-age", text}), Catch::Contains("--max-age"));
    CHECK_THAT(bad_option<AgeOptions>({std::string{"--max-age="} + text}), Catch::Contains("--max-age"));
  }
}

TEST_CASE("filters repeat and keep every text") {
  const Selector selector = parsed<SelectorOptions>({"--id", "[1,2]", "--id", "it's", "--id=", "--worker=-w", "--kind",
                                                     "100%", "--queue=q", "--user=u", "--status", "running", "--rule",
                                                     "dead", "--rule", "overdue", "--certainty", "certain"})
                                .selector;
  CHECK(selector.ids == std::vector<std::string>{"[1,2]", "it's", ""});
  CHECK(selector.workers == std::vector<std::string>{"-w"});
  CHECK(selector.kinds == std::vector<std::string>{"100%"});
  CHECK(selector.queues == std::vector<std::string>{"q"});
  CHECK(selector.users == std::vector<std::string>{"u"});
  CHECK(selector.statuses == std::vector<std::string>{"running"});
  CHECK(selector.rules == std::vector<Rule>{Rule::dead, Rule::overdue});
  CHECK(selector.certainties == std::vector<Certainty>{Certainty::certain});
}

TEST_CASE("unknown rules certainties and formats name the nearest and all choices") {
  CHECK_THAT(bad_option<SelectorOptions>({"--rule", "overdu"}), Catch::StartsWith("unknown rule 'overdu'") &&
                                                                    Catch::Contains("Did you mean 'overdue'?") &&
                                                                    Catch::Contains("missing-finished-time"));
  CHECK_THAT(bad_option<SelectorOptions>({"--certainty", "certian"}), Catch::Contains("Did you mean 'certain'?"));
  CHECK_THAT(bad_option<OutputOptions>({"--output", "jsom"}),
             Catch::StartsWith("unknown output format 'jsom'") && Catch::Contains("Choices are table, json."));
  CHECK_THAT(bad_option<OutputOptions>({"--output", "csv"}), Catch::Contains("unknown output format 'csv'"));
  CHECK_THAT(bad_option<OutputOptions>({"--color", "blue"}), Catch::Contains("Choices are auto, always, never."));
}

TEST_CASE("output options") {
  const auto options = parsed<OutputOptions>({"--output=json", "-q", "--colour", "never"});
  CHECK(options.format == OutputFormat::json);
  CHECK(options.quiet);
  CHECK(options.colour == "never");
  CHECK(parsed<OutputOptions>({}).format == OutputFormat::table);
}

TEST_CASE("change options") {
  const ChangeOptions options =
      change({"--dry-run", "--yes", "--reason", "[why] it's", "--backup", "rows", "--backup-dir", "/b",
              "--batch-size=7", "--max-changes", "0", "--lock-wait", "1m", "--max-stall", "3s", "--confirm", "prod"});
  CHECK(options.dry_run);
  CHECK(options.yes);
  CHECK(options.reason == "[why] it's");
  CHECK(options.backup == "rows");
  CHECK(options.backup_folder == "/b");
  CHECK(options.batch_size == 7U);
  CHECK(options.max_changes == 0U);
  CHECK(options.lock_wait == Duration{1min});
  CHECK(options.max_stall == Duration{3s});
  CHECK(options.confirm == "prod");
  CHECK(change({}).backup == "auto");
}

TEST_CASE("bad change options") {
  CHECK_THAT(bad_option<ChangeCommand>({"--backup", "row"}), Catch::Contains("Did you mean 'rows'?"));
  CHECK_THAT(bad_option<ChangeCommand>({"--backup", "rows", "--no-backup"}), Catch::Contains("--no-backup"));
  CHECK_THAT(bad_option<ChangeCommand>({"--batch-size", "0"}),
             Catch::Contains("option '--batch-size' must be at least 1"));
  CHECK_THAT(bad_option<ChangeCommand>({"--lock-wait", "-5s"}), Catch::Contains("--lock-wait"));
  CHECK_THAT(bad_option<ChangeCommand>({"--yes=no"}), Catch::Contains("option '--yes' takes no value"));
}

TEST_CASE("counts are plain decimal numbers") {
  CHECK(parse_count("0", "--limit") == 0U);
  CHECK(parse_count("1000000000", "--limit") == 1'000'000'000U);
  for (const char* text :
       {"", "010", "-1", "+1", "1.5", "0x10", "1e3", " 1", "1000000001", "99999999999999999999999"}) {
    CHECK_THAT(error_of([&] { static_cast<void>(parse_count(text, "--limit")); }),
               Catch::StartsWith("option '--limit': '" + std::string{text} + "' is not a count"));
  }
}
