#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "contract/guard_scene.hpp"

using namespace taskctl;
using namespace taskctl::test;
using Catch::Matchers::Contains;

namespace {

/// A queue of one table; `classes` as in a profile.
Profile profile_of(const std::string& classes) {
  return parse_profile(R"TOML(
format  = 1
name    = "odd"
summary = "one table"
engines = ["sqlite", "postgres"]
safety  = "read-only"

[task]
table  = "tasks"
key    = ["id"]
status = "state"

[task.time]
started  = "started"
finished = "finished"

[encoding.seconds]
format = "unix-s"

[times.tasks]
started  = "seconds"
finished = "seconds"
)TOML" + classes,
                       "odd.toml");
}

const std::string k_held = R"TOML(
[[class]]
when  = "state = 'running' AND stage = 'held'"
class = "parked"

[[class]]
column    = "state"
queued    = ["queued"]
active    = ["running"]
succeeded = ["done"]
failed    = ["failed"]
)TOML";

constexpr const char* k_held_table =
    "CREATE TABLE tasks (id integer PRIMARY KEY, state text, stage text, started bigint, finished bigint, note text);"
    "INSERT INTO tasks (id, state, started) VALUES (1, 'running', 1)";

}  // namespace

TEST_CASE("a guard knows statuses that are numbers flags or null however the profile writes them") {
  const auto engine = GENERATE(from_range(test::engines()));
  const auto type = GENERATE(as<std::string>{}, "integer", "text", "numeric");
  const auto quoted = GENERATE(false, true);
  const auto status = [&](int number) {
    return quoted ? "\"" + std::to_string(number) + "\"" : std::to_string(number);
  };
  INFO(to_string(engine) << " " << type << " " << status(1));
  const std::string classes = "[[class]]\ncolumn = \"state\"\nqueued = [" + status(0) + "]\nactive = [" + status(1) +
                              "]\nsucceeded = [" + status(2) + "]\nfailed = [" + status(3) + "]\n";
  RepairScene scene{
      temp_database(engine, "CREATE TABLE tasks (id integer PRIMARY KEY, state " + type +
                                ", started bigint, finished bigint);"
                                "INSERT INTO tasks VALUES (1, '1', 1, NULL), (2, '2', 1, 2), (3, NULL, 1, 2)"),
      profile_of(classes), k_queue_now};
  install(scene, GuardMode::reject);
  CHECK_THROWS_WITH(scene.database().exec("UPDATE tasks SET finished = 2 WHERE id = 1"),
                    Contains("taskctl_guard_finished"));
  CHECK_THROWS_WITH(scene.database().exec("UPDATE tasks SET state = '3' WHERE id = 2"),
                    Contains("taskctl_guard_terminal"));
  CHECK_NOTHROW(scene.database().exec("UPDATE tasks SET finished = 3 WHERE id = 3"));  // NULL is no class
  CHECK_NOTHROW(scene.database().exec("UPDATE tasks SET state = '2', finished = 2 WHERE id = 1"));
}

TEST_CASE("a guard knows statuses of an enumeration and of a boolean") {
  const std::string type = GENERATE(as<std::string>{}, "kind", "boolean");
  const std::string classes =
      type == "kind" ? "[[class]]\ncolumn = \"state\"\nactive = [\"f\"]\nsucceeded = [\"t\"]\nfailed = [\"x\"]\n"
                     : "[[class]]\ncolumn = \"state\"\nactive = [\"f\"]\nsucceeded = [\"t\"]\n";
  RepairScene scene{temp_database(Engine::postgres,
                                  "CREATE TYPE kind AS ENUM ('f', 't', 'x'); CREATE TABLE tasks (id "
                                  "integer PRIMARY KEY, state " +
                                      type +
                                      ", started bigint, finished bigint); INSERT INTO tasks VALUES "
                                      "(1, 'f', 1, NULL), (2, 't', 1, 2)"),
                    profile_of(classes), k_queue_now};
  install(scene, GuardMode::reject);
  CHECK_THROWS_WITH(scene.database().exec("UPDATE tasks SET finished = 2 WHERE id = 1"),
                    Contains("taskctl_guard_finished"));
  CHECK_THROWS_WITH(scene.database().exec("UPDATE tasks SET state = 'f', finished = NULL WHERE id = 2"),
                    Contains("taskctl_guard_terminal"));
  CHECK_NOTHROW(scene.database().exec("UPDATE tasks SET state = 't', finished = 2 WHERE id = 1"));
}

TEST_CASE("a row that is wrong is recorded when it becomes wrong and not at every heartbeat after it") {
  const auto engine = GENERATE(from_range(test::engines()));
  RepairScene scene{temp_database(engine, k_held_table), profile_of(k_held), k_queue_now};
  install(scene, GuardMode::log);
  scene.database().exec("UPDATE tasks SET stage = 'held', finished = 2 WHERE id = 1");  // parked: no contradiction
  Guard guard = guard_of(scene);
  CHECK(guard.report(10).empty());
  scene.database().exec("UPDATE tasks SET stage = 'on' WHERE id = 1");
  CHECK(guard.report(10).size() == 1);
  scene.database().exec("UPDATE tasks SET note = 'beat' WHERE id = 1");
  CHECK(guard.report(10).size() == 1);
  scene.database().exec("UPDATE tasks SET finished = 3, note = 'again' WHERE id = 1");
  CHECK(guard.report(10).size() == 2);
}

TEST_CASE("keys of several columns are recorded as taskctl prints them") {
  const auto engine = GENERATE(from_range(test::engines()));
  RepairScene scene{temp_database(engine, R"(CREATE TABLE tasks (id integer, part text, state text, started bigint,
                                             finished bigint, PRIMARY KEY (id, part));
                                             INSERT INTO tasks VALUES (1, 'a"b\c', 'running', 1, NULL))"),
                    parse_profile(std::string{R"TOML(
format  = 1
name    = "odd"
summary = "two columns"
engines = ["sqlite", "postgres"]
safety  = "read-only"
[task]
table  = "tasks"
key    = ["id", "part"]
status = "state"
[task.time]
started  = "started"
finished = "finished"
[encoding.seconds]
format = "unix-s"
[times.tasks]
started  = "seconds"
finished = "seconds"
[[class]]
column    = "state"
active    = ["running"]
succeeded = ["done"]
)TOML"},
                                  "odd.toml"),
                    k_queue_now};
  install(scene, GuardMode::log);
  scene.database().exec("UPDATE tasks SET finished = 2");
  Guard guard = guard_of(scene);
  REQUIRE(guard.report(10).size() == 1);
  CHECK(guard.report(10)[0].task == R"(["1","a\"b\\c"])");
  if (engine == Engine::sqlite) {
    // An application's SQLite may lack it; its every update would fail.
    CHECK(scene.database().value("SELECT count(*) FROM sqlite_schema WHERE sql LIKE '%json%'") == "0");
  }
}

TEST_CASE(
    "a contradiction that an undo brings back under a validated constraint is named and the constraint put right") {
  auto scene = queue_scene(Engine::postgres, 3, k_contradiction);
  const ApplyResult run = scene.apply(scene.reconcile());
  install(scene, GuardMode::reject);
  Guard guard = guard_of(scene);
  guard.run({guard.validation()});
  const auto contradicted = [&scene] {
    return Guard::is_contradicted(scene.connection(), scene.profile(), scene.store().schema(), "taskctl");
  };
  CHECK_FALSE(contradicted());
  CHECK(guard.status().matches());
  CHECK(scene.apply(scene.undo(run.run.id)).run.applied == 3);
  CHECK(contradicted());
  CHECK_FALSE(guard.status().matches());
  CHECK(std::ranges::any_of(guard.status().items, [](const GuardItem& item) {
    return item.kind == GuardKind::check && item.state == GuardItem::State::contradicted;
  }));
  guard.run(guard.install_statements(GuardMode::reject));
  CHECK_FALSE(contradicted());
  CHECK(guard.status().matches());
  CHECK_FALSE(guard.validation().empty());
}

TEST_CASE("log mode works for a role that has no rights but those on the table") {
  const auto mode = GENERATE(GuardMode::log, GuardMode::reject);
  RepairScene scene{
      temp_database(Engine::postgres,
                    std::string{k_held_table} +
                        "; ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;"
                        "DO $$BEGIN CREATE ROLE taskctl_test_app; EXCEPTION WHEN duplicate_object THEN END$$;"
                        "GRANT SELECT, INSERT, UPDATE ON tasks TO taskctl_test_app"),
      profile_of(k_held), k_queue_now};
  install(scene, mode);
  TempDatabase& database = scene.database();
  database.exec("SET ROLE taskctl_test_app");
  CHECK_NOTHROW(database.exec("UPDATE tasks SET note = 'beat' WHERE id = 1"));
  if (mode == GuardMode::log) {
    CHECK_NOTHROW(database.exec("UPDATE tasks SET finished = 2 WHERE id = 1"));
    CHECK_NOTHROW(database.exec("UPDATE tasks SET state = 'done' WHERE id = 1"));
    CHECK_NOTHROW(database.exec("UPDATE tasks SET state = 'failed' WHERE id = 1"));
    CHECK(guard_of(scene).report(10).size() == 2);
    CHECK_THROWS(database.exec("SELECT * FROM taskctl.taskctl_guard_log"));
  } else {
    CHECK_NOTHROW(database.exec("UPDATE tasks SET state = 'done', finished = 2 WHERE id = 1"));
    CHECK_THROWS_WITH(database.exec("UPDATE tasks SET state = 'failed' WHERE id = 1"),
                      Contains("taskctl_guard_terminal"));
  }
}

TEST_CASE("a log that is locked or gone does not stop the application") {
  RepairScene scene{temp_database(Engine::postgres, k_held_table), profile_of(k_held), k_queue_now};
  install(scene, GuardMode::log);
  {
    const Transaction transaction{scene.connection(), Access::write};
    scene.connection().run("LOCK TABLE taskctl.taskctl_guard_log IN ACCESS EXCLUSIVE MODE");
    CHECK_NOTHROW(scene.database().exec("UPDATE tasks SET finished = 2 WHERE id = 1"));
  }
  CHECK(scene.database().value("SELECT finished FROM tasks") == "2");
  scene.database().exec("DROP TABLE taskctl.taskctl_guard_log");
  CHECK_NOTHROW(scene.database().exec("UPDATE tasks SET finished = 3 WHERE id = 1"));
}

TEST_CASE("a column that is renamed does not stop the application") {
  const auto mode = GENERATE(GuardMode::log, GuardMode::reject);
  const auto column = GENERATE(as<std::string>{}, "stage", "finished");
  RepairScene scene{temp_database(Engine::postgres, k_held_table), profile_of(k_held), k_queue_now};
  install(scene, mode);
  scene.database().exec("ALTER TABLE tasks RENAME COLUMN " + column + " TO other");
  CHECK_NOTHROW(scene.database().exec("UPDATE tasks SET state = 'done' WHERE id = 1"));
  CHECK_NOTHROW(scene.database().exec("UPDATE tasks SET state = 'failed' WHERE id = 1"));
}

TEST_CASE("a role that does not own the table learns who does and a parent of other tables is refused") {
  auto scene = queue_scene(Engine::postgres, 1,
                           "DO $$BEGIN CREATE ROLE taskctl_test_app; EXCEPTION WHEN duplicate_object THEN END$$;"
                           "GRANT ALL ON tasks TO taskctl_test_app");
  scene.connection().run("SET ROLE taskctl_test_app");
  CHECK_THROWS_WITH(guard_of(scene).require_owner(), Contains("belongs to role"));
  Guard guard = guard_of(scene);
  const std::vector<std::string> statements = guard.install_statements(GuardMode::reject);
  try {
    guard.run(statements);
    FAIL("a role without rights installed a guard");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::access);
    CHECK_THAT(error.hint(), Contains("CREATE SCHEMA IF NOT EXISTS"));
  }
  scene.connection().run("RESET ROLE");
  CHECK_NOTHROW(guard_of(scene).require_owner());
  CHECK_FALSE(guard_of(scene).status().mode.has_value());
  scene.database().exec("CREATE TABLE more_tasks () INHERITS (tasks)");
  CHECK_THROWS_WITH(guard_of(scene), Contains("it is an inherited table"));
}

TEST_CASE("upserts and replacements are guarded as far as the database shows them") {
  const auto engine = GENERATE(from_range(test::engines()));
  auto scene = queue_scene(engine, 2);
  install(scene, GuardMode::reject);
  TempDatabase& database = scene.database();
  database.exec("UPDATE tasks SET state = 'cancelled', finished_at = 'then' WHERE id = 1");
  const std::string late =
      "INSERT INTO tasks (id, state, finished_at) VALUES (1, 'done', 'later') ON CONFLICT (id) DO ";
  CHECK_THROWS_WITH(database.exec(late + "UPDATE SET state = excluded.state"), Contains("taskctl_guard_terminal"));
  CHECK_NOTHROW(database.exec(late + "NOTHING"));
  CHECK_NOTHROW(database.exec(late + "UPDATE SET note = 'seen'"));
  CHECK(scene.state_of("1") == "cancelled");
  if (engine == Engine::sqlite) {
    CHECK_THROWS_WITH(database.exec("REPLACE INTO tasks (id, state, finished_at) VALUES (2, 'running', 'then')"),
                      Contains("taskctl_guard_finished"));
    // To SQLite this is a new row; no trigger learns what stood there before.
    CHECK_NOTHROW(database.exec("REPLACE INTO tasks (id, state, finished_at) VALUES (1, 'done', 'later')"));
  }
}

TEST_CASE("triggers of the application and temporary ones go on beside a guard") {
  auto scene =
      queue_scene(Engine::sqlite, 2,
                  "CREATE TRIGGER stamp AFTER UPDATE ON tasks BEGIN UPDATE tasks SET extra = 'stamped' WHERE id "
                  "= NEW.id; END; CREATE TABLE audit (what text)");
  install(scene, GuardMode::log);
  TempDatabase& database = scene.database();
  database.exec(
      "PRAGMA recursive_triggers = off; CREATE TEMP TRIGGER mine AFTER UPDATE ON main.tasks BEGIN INSERT INTO "
      "audit VALUES (NEW.state); END; CREATE TEMP TABLE taskctl_guard_state (off integer)");
  database.exec(k_contradiction);
  database.exec("UPDATE tasks SET state = 'done' WHERE id = 1");
  CHECK(database.value("SELECT extra FROM tasks WHERE id = 1") == "stamped");
  CHECK(database.value("SELECT count(*) > 1 FROM audit") == "1");
  CHECK(guard_of(scene).report(10).size() == 1);
}

TEST_CASE("a connection that cannot write plans a guard and reads its state") {
  const auto engine = GENERATE(from_range(test::engines()));
  auto scene = queue_scene(engine, 1);
  const auto reading = scene.database().open(Access::read);
  Guard guard{*reading, scene.profile(), scene.store().schema(), "taskctl"};
  const std::vector<std::string> statements = guard.install_statements(GuardMode::log);
  CHECK_FALSE(statements.empty());
  CHECK_FALSE(guard.status().mode.has_value());
  CHECK_THROWS(guard.run(statements));
  CHECK_FALSE(guard_of(scene).status().mode.has_value());
}
