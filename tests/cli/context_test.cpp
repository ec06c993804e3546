#include "cli/context.hpp"

#include <catch2/catch.hpp>

#include "parsing.hpp"
#include "store/postgres/driver.hpp"
#include "store/sqlite/driver.hpp"
#include "support/streams.hpp"
#include "surroundings.hpp"

using namespace taskctl;
using namespace taskctl::test;

namespace {

constexpr const char* k_clock = "2025-12-19T16:54:56+08:00";

/// The task_queue fixture and a context for it.
struct Scene {
  Surroundings around;
  std::unique_ptr<TempDatabase> database = temp_sqlite(fixture("task_queue.sqlite.sql"));
  CapturedStreams captured;
  Drivers drivers{.sqlite = sqlite_driver(), .postgres = postgres_driver()};
  StopSource stop;
  Context context{drivers, captured.streams, stop, {"reconcile", "--reason", "it's [me]"}, "reconcile"};

  [[nodiscard]] TargetOptions options(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments{"--db", database->location()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return parsed<TargetOptions>(arguments);
  }
  std::unique_ptr<Session> open(const std::vector<std::string>& more = {}, const AgeOptions* age = nullptr,
                                bool writes = true, Access access = Access::read) {
    return context.open(options(more), age, access, writes);
  }
};

}  // namespace

TEST_CASE("opening chooses the profile and says so") {
  Scene scene;
  const std::unique_ptr<Session> session = scene.open({}, nullptr, false);
  CHECK(session->profile.name == "task-queue");
  CHECK_THAT(scene.captured.err, Catch::Contains("profile: task-queue (chosen because"));
  CHECK(session->target_name() == session->location.display);
  CHECK(session->store != nullptr);
  CHECK(session->journal != nullptr);
  CHECK(session->connection->access() == Access::read);
}

TEST_CASE("a named profile is used in silence and a wrong one does not fit") {
  Scene scene;
  CHECK(scene.open({"--profile", "task-queue"}, nullptr, false)->profile.name == "task-queue");
  CHECK(scene.captured.err.empty());
  CHECK_THAT(error_of([&] { scene.open({"--profile", "task-queu"}); }), Catch::Contains("task-queue"));
  CHECK(error_of(
            [&] {
              scene.open({"--profile", "jobs"});
            },
            ExitCode::mismatch)
            .find("wrong code") == std::string::npos);
}

TEST_CASE("the policy is the profile's then the target's then the command line's") {
  Scene scene;
  CHECK(scene.open({}, nullptr, false)->policy.reap == std::optional<Duration>{std::chrono::hours{1}});
  Surroundings::write(scene.around.user_config(),
                      "[target.t]\ndb = \"" + scene.database->location() + "\"\nmax_age = \"3h\"\nsettle = \"2m\"\n");
  AgeOptions age;
  const TargetOptions target = parsed<TargetOptions>({"--target", "t", "--accept-hazard", "young"});
  std::unique_ptr<Session> session = scene.context.open(target, &age, Access::read, false);
  CHECK(session->policy.max_age == Duration{std::chrono::hours{3}});
  CHECK_FALSE(session->policy.max_age_given);
  CHECK(session->policy.settle == Duration{std::chrono::minutes{2}});
  CHECK(session->policy.accepted_hazards == std::set<std::string>{"young"});
  CHECK(session->target_name() == "t");
  age.max_age = std::chrono::hours{6};
  session = scene.context.open(target, &age, Access::read, false);
  CHECK(session->policy.max_age == Duration{std::chrono::hours{6}});
  CHECK(session->policy.max_age_given);
}

TEST_CASE("a command that writes refuses a clock in the future and very young tasks") {
  Scene scene;
  CHECK_THAT(error_of(
                 [&] {
                   scene.open({"--now", "2999-01-01T00:00:00Z"});
                 },
                 ExitCode::refused),
             Catch::StartsWith("--now 2999-01-01T00:00:00Z is later"));
  CHECK(scene.open({"--now", "2999-01-01T00:00:00Z"}, nullptr, false)->now.has_value());
  CHECK(scene.open({"--now", k_clock}) != nullptr);
  CHECK_THAT(scene.captured.err, Catch::Contains("warning: --now 2025-12-19T08:54:56Z"));
  const AgeOptions young{.max_age = std::chrono::seconds{299}};
  CHECK_THAT(error_of([&] { scene.open({}, &young); }, ExitCode::refused), Catch::Contains("--accept-hazard young"));
  CHECK(scene.open({"--accept-hazard", "young"}, &young) != nullptr);
  CHECK(scene.open({}, &young, false) != nullptr);
}

TEST_CASE("an unknown hazard is a mistake") {
  Scene scene;
  CHECK_THAT(error_of([&] { scene.open({"--accept-hazard", "yong"}); }), Catch::Contains("Did you mean 'young'?"));
}

TEST_CASE("no database is a mistake that says what to type") {
  Scene scene;
  Surroundings::set("DATABASE_URL", scene.database->location());
  const auto locate = [&](bool writes) { scene.context.locate({}, writes); };
  CHECK_THAT(error_of([&] { locate(true); }), Catch::StartsWith("no database is named | Name it with --db") &&
                                                  Catch::Contains("DATABASE_URL is used by commands that only read"));
  CHECK(error_of([&] { locate(false); }) == "no error");
  Surroundings::set("DATABASE_URL", "mysql://h/d");
  CHECK_THAT(error_of([&] { locate(false); }), Catch::StartsWith("database (DATABASE_URL): "));
  Surroundings::write(scene.around.user_config(), "[target.t]\nprotected = true\n");
  CHECK_THAT(error_of([&] {
               scene.context.locate(parsed<TargetOptions>({"--target", "t"}), true);
             }),
             Catch::StartsWith("target 't' has no db"));
}

TEST_CASE("a second connection writes to the same database") {
  Scene scene;
  const std::unique_ptr<Session> reading = scene.open({"--now", k_clock});
  const std::unique_ptr<Session> writing = scene.context.reopen_for_writing(*reading, {});
  CHECK(reading->connection == nullptr);
  CHECK(writing->connection->access() == Access::write);
  CHECK(writing->profile.name == "task-queue");
  CHECK(writing->now == reading->now);
  CHECK(banner(*writing) == "target " + reading->location.display + " · database " +
                                writing->connection->server().database + " · " + writing->connection->server().version);
}

TEST_CASE("what changed between plan and write is not written to") {
  Scene scene;
  const std::unique_ptr<Session> planned = scene.open();
  scene.database->exec("ALTER TABLE task_queue ADD COLUMN extra TEXT");
  CHECK_THAT(error_of([&] { scene.context.reopen_for_writing(*planned, {}); }, ExitCode::stale),
             Catch::StartsWith("the tables of '"));

  const std::unique_ptr<Session> again = scene.open();
  const std::filesystem::path file = again->location.text;
  std::filesystem::rename(file, file.string() + ".old");
  std::filesystem::copy_file(file.string() + ".old", file);
  CHECK_THAT(error_of([&] { scene.context.reopen_for_writing(*again, {}); }, ExitCode::stale),
             Catch::Contains("is another database now"));
}

TEST_CASE("an earlier clock is not written with on a protected target") {
  Scene scene;
  Surroundings::write(scene.around.user_config(),
                      "[target.t]\ndb = \"" + scene.database->location() + "\"\nprotected = true\n");
  const TargetOptions target = parsed<TargetOptions>({"--target", "t", "--now", k_clock});
  const std::unique_ptr<Session> reading = scene.context.open(target, nullptr, Access::read, true);
  CHECK_THAT(error_of([&] { scene.context.reopen_for_writing(*reading, {}); }, ExitCode::refused),
             Catch::Contains("--now is not allowed on 't'"));
}

TEST_CASE("the second signal reaches open connections and none that is closed") {
  Scene scene;
  {
    const std::unique_ptr<Session> session = scene.open({}, nullptr, false);
    Connection& connection = *session->connection;
    scene.stop.set_interrupter([&connection] { connection.interrupt(); });
  }
  scene.stop.request(2);
  scene.stop.request(2);
  CHECK(scene.stop.urgent());
}

TEST_CASE("the arguments are kept as one could type them again") {
  Scene scene;
  CHECK(scene.context.argument_text() == "taskctl reconcile --reason 'it'\\''s [me]'");
}

TEST_CASE("a password file must be private and have a password") {
  Scene scene;
  const std::filesystem::path file = scene.around.work() / "pw";
  const auto password = [&] {
    const TargetOptions options = scene.options({"--password-file", file.string()});
    return scene.context.open_options(options, resolve_config(options, true)).password;
  };
  CHECK_THAT(error_of([&] { password(); }), Catch::Contains("No such file"));
  Surroundings::write(file, "secret\nmore\n", 0644);
  CHECK_THAT(error_of([&] { password(); }, ExitCode::refused), Catch::Contains("chmod 600"));
  Surroundings::write(file, "secret\r\nmore\n", 0600);
  CHECK(password() == "secret");
  Surroundings::write(file, "\n", 0600);
  CHECK_THAT(error_of([&] { password(); }), Catch::Contains("no password in its first line"));
}
