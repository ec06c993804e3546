#include "cli/complete.hpp"

#include <catch2/catch.hpp>

#include "cli/context.hpp"
#include "cli/value_kind.hpp"

using namespace taskctl;

namespace {

struct AskedOptions {
  TargetOptions target;
  OutputOptions output;
  ChangeOptions change;
  std::string run, file;
  std::vector<std::string> ids;
};

void declare_asked(CLI::App& app, AskedOptions& options) {
  options.target.declare(app);
  options.output.declare(app);
  options.change.declare(app, true);
  app.add_option("ID", options.ids)->description("what to end");
}

void declare_nested(CLI::App& app, AskedOptions& options) {
  options.target.declare(app);
  app.require_subcommand(0, 1);
  CLI::App* show = app.add_subcommand("show", "show one")->fallthrough();
  show->add_option("RUN", options.run)->description("which")->required();
  app.add_subcommand("verify", "check one")->add_option("FILE", options.file)->description("which");
}

int run_asked(Context&, const AskedOptions&) {
  throw std::logic_error{"must not run"};
}

/// What completing these words offers; the last one is being typed. The last question is kept.
struct Completion {
  ValueQuestion asked;
  std::vector<Suggestion> known{{"r-1", "first"}, {"r-2", "second"}};

  std::string of(const std::vector<std::string>& words) {
    const std::vector<Command> commands{
        make_command<AskedOptions>("cancel", "End tasks", "repair", declare_asked, run_asked),
        make_command<AskedOptions>("history", "List runs", "look", declare_nested, run_asked)};
    return reply_text(complete(commands, words, [this](const ValueQuestion& question) {
      asked = question;
      return known;
    }));
  }
};

}  // namespace

TEST_CASE("the first word is a command or help") {
  Completion complete;
  CHECK(complete.of({}) == "words\ncancel\tEnd tasks\nhistory\tList runs\nhelp\topen the manual page of a command\n");
  CHECK(complete.of({"ca"}) == "words\ncancel\tEnd tasks\n");
  CHECK(complete.of({"--v"}) == "words\n--version\tprint the version\n");
  CHECK(complete.of({"nonsense", ""}) == "words\n");
  CHECK(complete.of({"help", "canc"}) == "words\ncancel\tEnd tasks\n");
}

TEST_CASE("options are offered once unless they repeat") {
  Completion complete;
  CHECK(complete.of({"cancel", "--outp"}).find("--output\tform of the result\n") != std::string::npos);
  CHECK(complete.of({"cancel", "--output", "json", "--outp"}) == "words\n");
  CHECK(complete.of({"cancel", "--output=json", "--outp"}) == "words\n");
  CHECK(complete.of({"cancel", "--accept-hazard", "rls", "--accept"}) != "words\n");
  CHECK(complete.of({"cancel", "--he"}) == "words\n--help\tprint a summary and stop\n");
}

TEST_CASE("values of an enumerated option follow it in both spellings") {
  Completion complete;
  CHECK(complete.of({"cancel", "--output", ""}) == "words\ntable\t\njson\t\n");
  CHECK(complete.of({"cancel", "--output", "j"}) == "words\njson\t\n");
  CHECK(complete.of({"cancel", "--output=j"}) == "words\n--output=json\t\n");
  CHECK(complete.of({"cancel", "--backup", "t"}) == "words\ntables\t\n");
  CHECK(complete.of({"cancel", "--yes=x"}) == "words\n");
}

TEST_CASE("paths are left to the shell") {
  Completion complete;
  CHECK(complete.of({"cancel", "--db", "/t"}) == "files\n");
  CHECK(complete.of({"cancel", "--backup-dir="}) == "folders\n");
  CHECK(complete.of({"history", "verify", ""}) == "files\n");
}

TEST_CASE("what only the target knows is asked with the place that is typed") {
  Completion complete;
  CHECK(complete.of({"history", "--db=x.db", "show", "r"}) == "words\nr-1\tfirst\nr-2\tsecond\n");
  CHECK(complete.asked.kind == ValueKind::run);
  CHECK(complete.asked.target.db == "x.db");
  CHECK_FALSE(complete.asked.writes);
  complete.of({"cancel", "--force", "--target", "prod", ""});
  CHECK(complete.asked.kind == ValueKind::task);
  CHECK(complete.asked.target.target == "prod");
  CHECK(complete.asked.writes);
  // An argument that may be repeated goes on being offered, one that may not does not.
  CHECK(complete.of({"cancel", "a", "b", "r-2"}) == "words\nr-2\tsecond\n");
  CHECK(complete.of({"history", "show", "r-1", "r"}) == "words\n");
}

TEST_CASE("subcommands are offered where they can stand") {
  Completion complete;
  CHECK(complete.of({"history", "s"}) == "words\nshow\tshow one\n");
  CHECK(complete.of({"history", "show", "s"}) == "words\n");
  CHECK(complete.of({"history", "show", "--targ"}).find("--target\t") != std::string::npos);
}

TEST_CASE("after two dashes nothing is an option") {
  Completion complete;
  CHECK(complete.of({"cancel", "--", "--outp"}) == "words\n");
  CHECK(complete.of({"cancel", "--", "r-1"}) == "words\nr-1\tfirst\n");
}

TEST_CASE("a candidate that would break the line is left out and repeated ones are offered once") {
  Completion complete;
  complete.known = {{"a\nb", ""}, {"\x1b[2J", ""}, {"same", "1"}, {"same", "2"}, {"ok", "a\tb"}};
  CHECK(complete.of({"history", "show", ""}) == "words\nsame\t1\nok\ta\\tb\n");
}

TEST_CASE("a source that throws offers nothing") {
  const std::vector<Command> commands{
      make_command<AskedOptions>("cancel", "End tasks", "repair", declare_asked, run_asked)};
  const auto broken = [](const ValueQuestion&) -> std::vector<Suggestion> { throw std::runtime_error{"no"}; };
  CHECK(reply_text(complete(commands, {"cancel", ""}, broken)) == "words\n");
}
