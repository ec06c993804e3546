#include "cli/app.hpp"

#include <catch2/catch.hpp>
#include <csignal>
#include <new>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/context.hpp"
#include "parsing.hpp"
#include "support/streams.hpp"
#include "surroundings.hpp"

using namespace taskctl;
using namespace taskctl::test;

namespace {

struct FakeOptions {
  std::vector<std::string> ids;
  OutputOptions output;
  bool dry_run = false;
};

std::function<int(Context&, const FakeOptions&)> fake_run;

void declare_fake(CLI::App& app, FakeOptions& options) {
  app.add_option("ID", options.ids)->description("what to end");
  app.add_flag("--dry-run", options.dry_run)->description("only look");
  options.output.declare(app);
}

int run_fake(Context& context, const FakeOptions& options) {
  return fake_run(context, options);
}

struct Ran {
  int code;
  std::string out, err;
};

Ran run(const std::vector<std::string>& arguments, int signal = 0) {
  CapturedStreams captured{{.width = 0, .out_buffer = 100}};
  const Drivers drivers;
  StopSource stop;
  if (signal != 0) {
    stop.request(signal);
  }
  App app{{make_command<FakeOptions>("list-stuck", "List tasks", "look", declare_fake, run_fake),
           make_command<FakeOptions>("cancel", "End tasks", "repair", declare_fake, run_fake)},
          drivers,
          captured.streams,
          stop};
  const int code = app.run(arguments);
  return {code, captured.out, captured.err};
}

void behave(std::function<int(Context&, const FakeOptions&)> run) {
  fake_run = std::move(run);
}

}  // namespace

TEST_CASE("a command gets its values and its code is the process's") {
  const Surroundings around;
  std::vector<std::string> seen;
  behave([&](Context& context, const FakeOptions& options) {
    seen = options.ids;
    context.streams().line("result");
    return 4;
  });
  const Ran ran = run({"list-stuck", "[1,2]", "++", "--", "-5"});
  CHECK(ran.code == 4);
  CHECK(ran.out == "result\n");
  CHECK(ran.err.empty());
  CHECK(seen == std::vector<std::string>{"[1,2]", "++", "-5"});
}

TEST_CASE("without a command help goes to stderr and the code is usage") {
  const Ran ran = run({});
  CHECK(ran.code == 2);
  CHECK(ran.out.empty());
  CHECK_THAT(ran.err, Catch::Contains("list-stuck") && Catch::EndsWith("taskctl: a command is missing\n"));
}

TEST_CASE("help and version go to stdout") {
  for (const std::string word : {"--help", "-h", "help"}) {
    const Ran ran = run({word});
    CHECK(ran.code == 0);
    CHECK_THAT(ran.out, Catch::Contains("Usage: taskctl COMMAND") && Catch::Contains("  cancel"));
  }
  CHECK_THAT(run({"--version"}).out, Catch::Matches("taskctl [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST_CASE("a command's help has usage options and exit codes and runs nothing") {
  behave([](Context&, const FakeOptions&) -> int { throw std::logic_error{"must not run"}; });
  const Ran ran = run({"cancel", "--output", "nonsense", "--help"});
  CHECK(ran.code == 0);
  CHECK_THAT(ran.out, Catch::StartsWith("Usage: taskctl cancel [OPTIONS] [ID...]\n") && Catch::Contains("--dry-run") &&
                          Catch::Contains("only look") && Catch::Contains("Exit codes:") &&
                          Catch::Contains("refused") && Catch::Contains("table, json"));
  CHECK(run({"help", "cancel"}).out == ran.out);
  CHECK(run({"help", "cancle"}).code == 2);
}

TEST_CASE("mistakes on the command line end in usage with the next step") {
  CHECK_THAT(run({"cancle"}).err, Catch::StartsWith("taskctl: unknown command 'cancle'\nHINT: Did you mean 'cancel'?"));
  CHECK_THAT(run({"--db", "x", "cancel"}).err, Catch::Contains("option '--db' stands before the command"));
  CHECK_THAT(run({"cancel", "--dry"}).err, Catch::StartsWith("taskctl cancel: unknown option '--dry'\nHINT: "));
  CHECK(run({"cancle"}).code == 2);
  CHECK(run({"cancel", "--dry"}).code == 2);
  CHECK(run({"cancel", "--output", "xml"}).code == 2);
}

TEST_CASE("errors become their code and a hint line") {
  const Surroundings around;
  behave([](Context&, const FakeOptions&) -> int {
    throw Error{ExitCode::locked, "held by 'x\x1b[2J'", "Wait.\nOr not."};
  });
  const Ran ran = run({"list-stuck"});
  CHECK(ran.code == 6);
  CHECK(ran.err == "taskctl list-stuck: held by 'x\\x1b[2J'\nHINT: Wait.\nOr not.\n");
}

TEST_CASE("unexpected exceptions are internal errors") {
  behave([](Context&, const FakeOptions&) -> int { throw std::bad_alloc{}; });
  CHECK(run({"list-stuck"}).code == 70);
  behave([](Context&, const FakeOptions&) -> int { throw std::logic_error{"oops"}; });
  CHECK_THAT(run({"list-stuck"}).err, Catch::Contains("internal error: oops"));
  behave([](Context&, const FakeOptions&) -> int { throw 1; });
  CHECK(run({"list-stuck"}).code == 70);
}

TEST_CASE("under json errors are json also when parsing failed") {
  behave([](Context&, const FakeOptions&) -> int { throw Error{ExitCode::refused, "no", "Add --yes."}; });
  const auto error_in = [](const Ran& ran) { return nlohmann::json::parse(ran.err)["error"]; };
  CHECK(error_in(run({"list-stuck", "--output", "json"}))["name"] == "refused");
  CHECK(error_in(run({"list-stuck", "--output=json", "--nope"}))["code"] == 2);
  CHECK(error_in(run({"nope", "--output=json"}))["name"] == "usage");
  CHECK_THAT(run({"list-stuck", "--", "--output=json"}).err, Catch::StartsWith("taskctl list-stuck: no"));
}

TEST_CASE("an end by a signal is reported as the signal but a commit in doubt is not hidden") {
  const Surroundings around;
  behave([](Context&, const FakeOptions&) { return static_cast<int>(ExitCode::stopped); });
  CHECK(run({"list-stuck"}, SIGTERM).code == 128 + SIGTERM);
  CHECK(run({"list-stuck"}).code == 12);
  behave([](Context&, const FakeOptions&) -> int { throw InterruptedError{"interrupted"}; });
  CHECK(run({"list-stuck"}, SIGINT).code == 130);
  behave([](Context&, const FakeOptions&) -> int { throw InDoubtError{"who knows"}; });
  CHECK(run({"list-stuck"}, SIGINT).code == 9);
  behave([](Context&, const FakeOptions&) { return 0; });
  CHECK(run({"list-stuck"}, SIGINT).code == 0);
}

TEST_CASE("quiet and colour are applied before the command runs") {
  behave([](Context& context, const FakeOptions&) {
    context.streams().talk("talk");
    return context.streams().options().colour ? 1 : 0;
  });
  CHECK(run({"list-stuck", "-q"}).err.empty());
  CHECK(run({"list-stuck"}).err == "talk\n");
  CHECK(run({"list-stuck", "--color", "always"}).code == 1);
}

TEST_CASE("a result that could not be written is not a success") {
  behave([](Context& context, const FakeOptions&) {
    context.streams().line("result");
    return 0;
  });
  std::string err;
  Streams streams{{},
                  [](std::string_view) {
                    errno = ENOSPC;
                    return false;
                  },
                  [&](std::string_view text) {
                    err += text;
                    return true;
                  },
                  []() -> std::optional<std::string> { return std::nullopt; }};
  const Drivers drivers;
  StopSource stop;
  App app{{make_command<FakeOptions>("list-stuck", "List", "look", declare_fake, run_fake)}, drivers, streams, stop};
  CHECK(app.run({"list-stuck"}) == 1);
  CHECK_THAT(err, Catch::Contains("cannot write the result to standard output: No space left on device"));
}

TEST_CASE("refused and failed attempts of writing commands are noted without secrets") {
  const Surroundings around;
  behave([](Context&, const FakeOptions&) -> int { throw Error{ExitCode::refused, "not confirmed"}; });
  run({"cancel", "1", "postgres://u:secret@h/d"});
  run({"cancel", "--dry-run", "2"});
  run({"list-stuck"});
  run({"cancel", "--nope"});
  behave([](Context&, const FakeOptions&) { return static_cast<int>(ExitCode::failed); });
  run({"cancel", "3"});
  behave([](Context&, const FakeOptions&) { return 0; });
  run({"cancel", "4"});

  std::ifstream file{around.attempts()};
  std::vector<nlohmann::json> lines;
  for (std::string line; std::getline(file, line);) {
    lines.push_back(nlohmann::json::parse(line));
  }
  REQUIRE(lines.size() == 2);
  CHECK(lines[0]["command"] == "cancel");
  CHECK(lines[0]["code"] == 5);
  CHECK(lines[0]["message"] == "not confirmed");
  CHECK(lines[0]["arguments"] == "taskctl cancel 1 'postgres://u:***@h/d'");
  CHECK(lines[1]["code"] == 1);
  const auto mode = std::filesystem::status(around.attempts()).permissions();
  CHECK(mode == (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
}

TEST_CASE("a folder that cannot be written does not change the end") {
  const Surroundings around;
  Surroundings::write(around.attempts().parent_path(), "a file where a folder should be");
  behave([](Context&, const FakeOptions&) -> int { throw Error{ExitCode::refused, "no"}; });
  CHECK(run({"cancel", "1"}).code == 5);
}
