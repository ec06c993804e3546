#include "cli/arguments.hpp"

#include <catch2/catch.hpp>

#include "cli/app.hpp"
#include "parsing.hpp"

using namespace taskctl;
using namespace taskctl::test;

namespace {

struct Cancel {
  std::vector<std::string> ids, workers;
  std::string reason;
  bool dry_run = false, quiet = false;
  void declare(CLI::App& app) {
    app.add_option("ID", ids)->required();
    app.add_option("--worker", workers)->allow_extra_args(false);
    app.add_option("-r,--reason", reason);
    app.add_flag("--dry-run", dry_run);
    app.add_flag("-q,--quiet", quiet);
  }
};

std::string bad(const std::vector<std::string>& arguments) {
  return error_of([&] { parsed<Cancel>(arguments); });
}

}  // namespace

TEST_CASE("ids of every shape arrive as typed") {
  const std::string long_id(10'000, 'x');
  const std::vector<std::string> ids{"572",   "[1,2]", "[\"a\",\"b\"]", "++",         "{}",     "{1,2}",
                                     "%%",    "100%",  "it's",          "say \"hi\"", "a\nb",   "\n",
                                     "",      "-",     "list",          "a=b",        "任务-١", "\xff\xfe",
                                     long_id, "a,b",   "\x01mark",      "[",          "]",      "[]",
                                     " 1 ",   "!x",    "/a:b",          "~"};
  CHECK(parsed<Cancel>(ids).ids == ids);
}

TEST_CASE("ids that begin with a dash go after two dashes") {
  CHECK(parsed<Cancel>({"--", "-5", "--dry-run", "--"}).ids == std::vector<std::string>{"-5", "--dry-run", "--"});
  CHECK_THAT(bad({"-5"}), Catch::Contains("unknown option '-5'") && Catch::Contains("goes after '--'"));
}

TEST_CASE("option values of every shape arrive as typed") {
  for (const std::string value : {"[1,2]", "++", "", "--", "-1", "a=b", "=", "{}", "%%", "\n", "[]"}) {
    CHECK(parsed<Cancel>({"1", "--reason=" + value}).reason == value);
    CHECK(parsed<Cancel>({"1", "--worker=" + value, "--worker", value, "2"}).workers ==
          std::vector<std::string>{value, value});
    CHECK(parsed<Cancel>({"1", "--worker=" + value, "--worker", value, "2"}).ids == std::vector<std::string>{"1", "2"});
  }
}

TEST_CASE("an empty value after the equals sign does not take the next option") {
  const Cancel options = parsed<Cancel>({"1", "--reason=", "--dry-run"});
  CHECK(options.reason.empty());
  CHECK(options.dry_run);
}

TEST_CASE("an option is never the value of another") {
  CHECK_THAT(bad({"1", "--reason", "--dry-run"}),
             Catch::Contains("option '--reason' needs a value, and '--dry-run' is an option"));
  CHECK_THAT(bad({"1", "--reason", "--worker=x"}), Catch::Contains("'--worker=x' is an option"));
  CHECK_THAT(bad({"1", "--reason", "-q"}), Catch::Contains("'-q' is an option"));
  CHECK(parsed<Cancel>({"1", "--reason", "--because"}).reason == "--because");
}

TEST_CASE("short options") {
  const Cancel options = parsed<Cancel>({"-qr", "why", "1"});
  CHECK(options.quiet);
  CHECK(options.reason == "why");
  CHECK(parsed<Cancel>({"-r[x]", "1"}).reason == "[x]");
}

TEST_CASE("mistakes are named with the nearest option") {
  CHECK_THAT(bad({"1", "--reson", "x"}),
             Catch::StartsWith("unknown option '--reson'") && Catch::Contains("Did you mean '--reason'?"));
  CHECK_THAT(bad({"1", "--reason"}), Catch::StartsWith("option '--reason' needs a value"));
  CHECK_THAT(bad({"1", "--dry-run=false"}), Catch::StartsWith("option '--dry-run' takes no value"));
  CHECK_THAT(bad({"1", "--reason", "a", "--reason", "b"}), Catch::Contains("--reason"));
  CHECK_THAT(bad({}), Catch::Contains("ID is required"));
}

TEST_CASE("help is seen among options and not as a value or after two dashes") {
  const auto help = [](const std::vector<std::string>& arguments) {
    CLI::App app{"test", "taskctl test"};
    Cancel options;
    options.declare(app);
    return prepare_arguments(app, arguments).help;
  };
  CHECK(help({"--help"}));
  CHECK(help({"1", "-h"}));
  CHECK(help({"-qh"}));
  CHECK_FALSE(help({"--reason=--help"}));
  CHECK_FALSE(help({"--", "--help"}));
}

TEST_CASE("subcommands take the options of their command") {
  struct History {
    std::string run, db;
    void declare(CLI::App& app) {
      app.add_option("--db", db);
      app.require_subcommand(0, 1);
      CLI::App* show = app.add_subcommand("show", "one")->fallthrough();
      show->add_option("RUN", run)->required();
      app.add_subcommand("prune", "all")->fallthrough();
    }
  };
  const History options = parsed<History>({"show", "--db", "[x]", "show"});
  CHECK(options.run == "show");
  CHECK(options.db == "[x]");
  CHECK(parsed<History>({"--db=a", "show", "--", "-1"}).run == "-1");
  CHECK_THAT(error_of([] { parsed<History>({"shaw"}); }),
             Catch::StartsWith("unknown subcommand 'shaw'") && Catch::Contains("Did you mean 'show'?"));
  CHECK_THAT(error_of([] { parsed<History>({"show"}); }), Catch::Contains("RUN is required"));
  CHECK_THAT(error_of([] { parsed<History>({"show", "[a]", "[b]"}); }), Catch::Contains("unexpected argument '[b]'"));
  CHECK_THAT(error_of([] { parsed<History>({"prune", "x"}); }), Catch::Contains("unexpected argument 'x'"));
}

TEST_CASE("shielding is undone once and harmless when repeated") {
  for (const std::string text : {"", "a", "[1]", "++", "\x01", "-x"}) {
    CHECK(unshield(shield(text)) == text);
    CHECK(unshield(unshield(shield(text))) == text);
    CHECK(unshield(text) == text);
  }
  CHECK(shield("[1]").front() != '[');
}
