#include "engine/profile_choice.hpp"

#include <algorithm>
#include <map>

#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "contract/listing_scene.hpp"
#include "profile/profile_reader.hpp"

using namespace taskctl;
using namespace taskctl::test;
using Catch::Matchers::Contains;

namespace {

std::string chosen(TempDatabase& database) {
  return choose_profile(*database.open(Access::read)).name;
}

Error refusal(TempDatabase& database) {
  try {
    chosen(database);
  } catch (const Error& error) {
    return error;
  }
  throw std::logic_error{"a profile was chosen"};
}

std::map<std::string, ProfileCheck::Reading> readings(const ProfileCheck& check) {
  std::map<std::string, ProfileCheck::Reading> by_property;
  for (const auto& reading : check.readings) {
    by_property[reading.property] = reading;
  }
  return by_property;
}

}  // namespace

TEST_CASE("the one built-in profile that fits is chosen") {
  CHECK(chosen(*temp_sqlite(fixture("task_queue.sqlite.sql"))) == "task-queue");
  CHECK(chosen(*temp_sqlite(fixture("jobs.sqlite.sql"))) == "jobs");
  CHECK(chosen(*temp_postgres(fixture("workspace_tasks.postgres.sql"))) == "workspace-tasks");
  CHECK(chosen(*temp_postgres(fixture("cluster.postgres.sql"))) == "cluster");
}

TEST_CASE("a database that fits nothing names the tables that were looked for") {
  for (const auto engine : test::engines()) {
    const auto database = temp_database(engine, "CREATE TABLE other (id integer)");
    const Error error = refusal(*database);
    CHECK(error.code() == ExitCode::mismatch);
    CHECK_THAT(error.message(), Contains("'task_queue'") && Contains("'jobs'"));
    CHECK_THAT(error.hint(), Contains("--profile"));
  }
}

TEST_CASE("the first variant that fits is taken and without one the nearest") {
  const std::string head = R"(
format  = 1
name    = "many"
engines = ["sqlite", "postgres"]
safety  = "read-only"
[parameters]
prefix = "my"
[task]
table = "{prefix}_jobs"
key   = ["id"]
[encoding.ms]
format = "unix-ms"
[[class]]
when  = "locked = 1"
class = "active"
)";
  const auto variant = [](const std::string& name, const std::string& started) {
    return "[[variant]]\nname = \"" + name + "\"\n[variant.task.time]\nstarted = \"" + started +
           "\"\n[variant.times.\"{prefix}_jobs\"]\n" + started + " = \"ms\"\n";
  };
  const std::string text = head + variant("one", "startedon") + variant("two", "started_on");
  for (const auto engine : test::engines()) {
    const auto database =
        temp_database(engine, "CREATE TABLE app_jobs (id integer PRIMARY KEY, locked integer, started_on bigint)");
    const auto chosen_title = [&](const std::string& prefix) {
      return choose_variant(*database->open(Access::read), parse_profiles(text, "many.toml", {{"prefix", prefix}}))
          .title();
    };
    CHECK(chosen_title("app") == "many two");
    database->exec("ALTER TABLE app_jobs ADD COLUMN startedon bigint");
    CHECK(chosen_title("app") == "many one");
    CHECK(chosen_title("none") == "many one");
  }
}

TEST_CASE("a near miss names what is missing") {
  const auto database = temp_sqlite(fixture("task_queue.sqlite.sql"));
  database->exec("ALTER TABLE task_queue RENAME COLUMN started_at TO begun_at");
  const Error error = refusal(*database);
  CHECK(error.code() == ExitCode::mismatch);
  CHECK_THAT(error.message(), Contains("the nearest is 'task-queue'") && Contains("'started_at'"));
}

TEST_CASE("a table that is another one in many ways is told in three of them") {
  const auto database = temp_sqlite(
      "CREATE TABLE task_queue (id integer PRIMARY KEY, status text, begun text); INSERT INTO task_queue VALUES (1, "
      "'x', NULL)");
  const std::string message = refusal(*database).message();
  CHECK_THAT(message, Contains("more (`taskctl profile check --profile task-queue` lists them)"));
  CHECK(std::ranges::count(message, ',') == 4);
}

TEST_CASE("two profiles that fit are a question for the user") {
  const auto database = temp_sqlite(fixture("task_queue.sqlite.sql") + fixture("jobs.sqlite.sql"));
  const Error error = refusal(*database);
  CHECK(error.code() == ExitCode::mismatch);
  CHECK_THAT(error.message(), Contains("several") && Contains("'jobs'") && Contains("'task-queue'"));
  CHECK_THAT(error.hint(), Contains("--profile"));
}

TEST_CASE("a check tells what is read as what and how many rows each status has") {
  const auto database = temp_sqlite(fixture("task_queue.sqlite.sql"));
  database->exec("UPDATE task_queue SET status = 'odd' WHERE task_id = 'task_0055'");
  database->exec("CREATE TRIGGER touch AFTER UPDATE ON task_queue BEGIN SELECT 1; END");
  const auto check = check_profile(*database->open(Access::read), find_profile("task-queue"), {});
  CHECK(check.problems.empty());
  const auto by_property = readings(check);
  CHECK(by_property.at("key").source == "task_id");
  CHECK(by_property.at("started").source == "started_at");
  CHECK(by_property.at("started").encoding == "text T, Asia/Shanghai | text blank, UTC");
  CHECK(by_property.at("status").encoding == "TEXT");
  CHECK(by_property.count("worker") == 0);
  std::map<std::string, std::int64_t> counts;
  for (const auto& status : check.statuses) {
    counts[status.status.value_or("NULL")] = status.count;
    CHECK(status.task_class.has_value() == (status.status != "odd"));
  }
  CHECK(counts == std::map<std::string, std::int64_t>{{"success", 41}, {"failed", 6}, {"running", 7}, {"odd", 1}});
  CHECK(check.triggers == std::vector<std::string>{"touch on task_queue"});
  CHECK(check.missing_privileges.empty());
  CHECK(check.row_security.empty());
  CHECK(check.note.empty());
}

TEST_CASE("a check of a lookup names its table and order") {
  const auto database = temp_postgres(fixture("cluster.postgres.sql"));
  const auto check = check_profile(*database->open(Access::read), find_profile("cluster"), {});
  CHECK(check.problems.empty());
  const auto by_property = readings(check);
  CHECK(by_property.at("worker").source == "assignments.worker_id (newest assigned_at)");
  CHECK(by_property.at("started").encoding == "timestamptz");
  const auto heartbeat = std::find_if(check.readings.begin(), check.readings.end(), [](const auto& reading) {
    return reading.source == "worker_registry.last_heartbeat";
  });
  REQUIRE(heartbeat != check.readings.end());
  CHECK(heartbeat->encoding == "Unix seconds");
}

TEST_CASE("a check of a database that does not fit lists the problems and counts nothing") {
  const auto database = temp_postgres(fixture("workspace_tasks.postgres.sql"));
  database->exec("DROP TABLE agents; ALTER TABLE workspace_tasks DROP COLUMN retry_count");
  const auto check = check_profile(*database->open(Access::read), find_profile("workspace-tasks"), {});
  REQUIRE(check.problems.size() >= 2);
  std::string all;
  for (const auto& problem : check.problems) {
    all += problem.text + "\n";
  }
  CHECK_THAT(all, Contains("agents") && Contains("retry_count"));
  CHECK(check.statuses.empty());
}

TEST_CASE("a check names the privileges and rows that a role does not have") {
  const auto database = temp_postgres(fixture("workspace_tasks.postgres.sql") +
                                      "ALTER TABLE agents ENABLE ROW LEVEL SECURITY;" + only_reading());
  const auto check = check_profile(*database->open(Access::read), find_profile("workspace-tasks"), {});
  CHECK(check.missing_privileges ==
        std::vector<std::string>{"UPDATE (status, error_message, completed_at, updated_at) on workspace_tasks",
                                 "UPDATE (is_locked, locked_by, locked_at, lock_reason) on workspaces"});
  CHECK(check.row_security == std::vector<std::string>{"public.agents"});
  CHECK_FALSE(check.statuses.empty());
  Profile profile = find_profile("workspace-tasks");
  profile.safety = Safety::read_only;
  const auto readonly = check_profile(*database->open(Access::read), profile, {});
  CHECK(readonly.missing_privileges.empty());
  CHECK_THAT(readonly.note, Contains("never repairs"));
}
