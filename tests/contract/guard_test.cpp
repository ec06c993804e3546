#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "contract/guard_scene.hpp"
#include "store/guard_switch.hpp"

using namespace taskctl;
using namespace taskctl::test;
using Catch::Matchers::Contains;

namespace {

std::vector<std::optional<std::int64_t>> wrong_rows(Guard& guard) {
  return guard.count_wrong(guard.definition(GuardMode::reject).rules);
}

Profile with_missing_rule() {
  return parse_profile(k_queue_profile + R"TOML(
[rules]
enable = ["missing-finished-time"]

[[rule.missing-finished-time.op]]
do  = "update"
set = { finished_at = "started_at" }
)TOML",
                       "queue.toml");
}

}  // namespace

TEST_CASE("a guard stops a finished time on a task that is not over") {
  const auto engine = GENERATE(from_range(test::engines()));
  auto scene = queue_scene(engine, 2);
  install(scene, GuardMode::reject);
  CHECK_THROWS_WITH(scene.database().exec(k_contradiction), Contains("taskctl_guard_finished"));
  CHECK_THROWS_WITH(scene.database().exec("INSERT INTO tasks (id, state, finished_at) VALUES (9, 'queued', 'then')"),
                    Contains("taskctl_guard_finished"));
  CHECK(scene.database().value("SELECT finished_at FROM tasks WHERE id = 1") == std::nullopt);
  CHECK(scene.database().value("SELECT count(*) FROM tasks") == "2");
}

TEST_CASE("a guard stops a late report about a task that is over") {
  const auto engine = GENERATE(from_range(test::engines()));
  auto scene = queue_scene(engine, 2);
  install(scene, GuardMode::reject);
  scene.database().exec("UPDATE tasks SET state = 'cancelled', finished_at = '2025-06-01 11:00:00' WHERE id = 1");
  for (const std::string late : {"done", "failed"}) {
    INFO(late);
    CHECK_THROWS_WITH(scene.database().exec("UPDATE tasks SET state = '" + late + "' WHERE id = 1"),
                      Contains("taskctl_guard_terminal"));
  }
  CHECK_THROWS_WITH(scene.database().exec("UPDATE tasks SET state = 'running', finished_at = NULL WHERE id = 1"),
                    Contains("taskctl_guard_terminal"));
  CHECK(scene.state_of("1") == "cancelled");
}

TEST_CASE("a guard lets a healthy application pass") {
  const auto engine = GENERATE(from_range(test::engines()));
  auto scene = queue_scene(engine, 2);
  install(scene, GuardMode::reject);
  CHECK_NOTHROW(
      scene.database().exec("INSERT INTO tasks (id, state) VALUES (9, 'queued');"
                            "UPDATE tasks SET state = 'running', started_at = '2025-06-01 10:00:00' WHERE id = 9;"
                            "UPDATE tasks SET note = 'half' WHERE id = 9;"
                            "UPDATE tasks SET state = 'failed', finished_at = '2025-06-01 10:30:00' WHERE id = 9;"
                            "UPDATE tasks SET note = 'seen', state = 'failed' WHERE id = 9;"
                            "UPDATE tasks SET state = 'queued', finished_at = NULL WHERE id = 9;"  // tried again
                            "UPDATE tasks SET state = 'running' WHERE id = 9;"
                            "UPDATE tasks SET state = 'done', finished_at = '2025-06-01 10:40:00' WHERE id = 9;"
                            "DELETE FROM tasks WHERE id = 9"));
}

TEST_CASE("a task that ends without a finished time is stopped where the profile says so") {
  const auto engine = GENERATE(from_range(test::engines()));
  RepairScene scene{temp_database(engine, queue_sql(engine, 2)), with_missing_rule(), k_queue_now};
  install(scene, GuardMode::reject);
  CHECK_THROWS_WITH(scene.database().exec("UPDATE tasks SET state = 'done' WHERE id = 1"),
                    Contains("taskctl_guard_missing"));
  CHECK_NOTHROW(scene.database().exec("UPDATE tasks SET state = 'done', finished_at = 'then' WHERE id = 1"));

  auto lenient = queue_scene(engine, 2);
  install(lenient, GuardMode::reject);
  CHECK_NOTHROW(lenient.database().exec("UPDATE tasks SET state = 'done' WHERE id = 1"));
}

TEST_CASE("repairs and their undo pass the guard and leave it on") {
  const auto engine = GENERATE(from_range(test::engines()));
  const auto mode = GENERATE(GuardMode::reject, GuardMode::log);
  auto scene = queue_scene(engine, 5, k_contradiction);
  install(scene, mode);
  const auto before = scene.everything();
  const ApplyResult run = scene.apply(scene.reconcile());
  CHECK(run.run.applied == 5);
  CHECK(scene.state_of("1") == "cancelled");
  CHECK(scene.state_of("2") == "failed");
  const ApplyResult undone = scene.apply(scene.undo(run.run.id));
  CHECK(undone.run.applied == 5);
  CHECK(undone.reports.empty());
  CHECK(scene.everything() == before);
  const ApplyResult cancelled = scene.apply(scene.cancel({"3"}, true));
  CHECK(cancelled.run.applied == 1);
  CHECK(scene.apply(scene.undo(cancelled.run.id)).run.applied == 1);

  Guard guard = guard_of(scene);
  CHECK_FALSE(guard.status().switched_off);
  CHECK(guard.report(10).empty());
  if (mode == GuardMode::reject) {
    CHECK_THROWS(scene.database().exec("UPDATE tasks SET finished_at = 'then' WHERE id = 2"));
  }
}

TEST_CASE("an open repair opens the guard for nobody else") {
  const auto engine = GENERATE(from_range(test::engines()));
  auto scene = queue_scene(engine, 2);
  install(scene, GuardMode::reject);
  {
    const Transaction transaction{scene.connection(), Access::write};
    GuardSwitch guards{scene.connection()};
    CHECK(scene.connection().run(k_contradiction) == 1);
    guards.resume();
    CHECK_THROWS_AS(scene.connection().run("UPDATE tasks SET finished_at = 'then' WHERE id = 2"), ConstraintError);
  }
  CHECK_THROWS_WITH(scene.database().exec(k_contradiction), Contains("taskctl_guard_finished"));
}

TEST_CASE("mode log records who wrote a contradiction and rejects nothing") {
  const auto engine = GENERATE(from_range(test::engines()));
  auto scene = queue_scene(engine, 2);
  install(scene, GuardMode::log);
  scene.database().exec(k_contradiction);
  scene.database().exec("UPDATE tasks SET note = 'other column' WHERE id = 1");
  scene.database().exec("UPDATE tasks SET state = 'done' WHERE id = 1");
  scene.database().exec("UPDATE tasks SET state = 'failed' WHERE id = 1");
  Guard guard = guard_of(scene);
  const std::vector<GuardRecord> records = guard.report(10);
  REQUIRE(records.size() == 2);
  CHECK(records[0].rule == "terminal");
  CHECK(records[0].old_status == "done");
  CHECK(records[0].new_status == "failed");
  CHECK(records[1].rule == "finished");
  CHECK(records[1].task == "1");
  CHECK(records[1].operation == "update");
  CHECK(records[1].new_status == "running");
  CHECK(records[1].old_finished == std::nullopt);
  CHECK(records[1].new_finished == "2025-06-01 11:00:00");
  CHECK_THAT(records[1].at, Contains("T") && Catch::Matchers::EndsWith("Z"));
  CHECK(records[1].user.has_value() == (engine == Engine::postgres));
  if (engine == Engine::postgres) {
    CHECK(records[1].user == scene.database().value("SELECT session_user"));
    CHECK(records[1].pid == scene.database().value("SELECT pg_backend_pid()"));
    CHECK(records[1].statement == k_contradiction);
  }
  CHECK(guard.report(1).size() == 1);
}

TEST_CASE("a guard is installed once changes its mode and is removed without a trace") {
  const auto engine = GENERATE(from_range(test::engines()));
  auto scene = queue_scene(engine, 1, "CREATE TABLE taskctl_guards_of_others (id integer)");
  const std::string fingerprint = read_schema(scene.connection(), scene.profile()).fingerprint();
  Guard guard = guard_of(scene);
  CHECK_FALSE(guard.status().mode.has_value());
  CHECK_FALSE(guard.status().matches());
  CHECK(guard.remove_statements().empty());

  guard.run(guard.install_statements(GuardMode::reject));
  CHECK(guard.status().mode == GuardMode::reject);
  CHECK(guard.status().matches());
  CHECK(guard.install_statements(GuardMode::reject).empty());
  const Schema guarded = read_schema(scene.connection(), scene.profile());
  CHECK(guarded.fingerprint() == fingerprint);
  CHECK(guarded.find("tasks")->triggers.empty());

  CHECK_FALSE(guard.status(GuardMode::log).matches());
  guard.run(guard.install_statements(GuardMode::log));
  CHECK(guard.status().mode == GuardMode::log);
  CHECK(guard.status().matches());
  CHECK_NOTHROW(scene.database().exec(k_contradiction));
  guard.run(guard.install_statements(GuardMode::reject));
  CHECK(guard.report(10).size() == 1);  // what was recorded stays until the guard is removed

  guard.run(guard.remove_statements());
  CHECK_FALSE(guard.status().mode.has_value());
  CHECK(guard.remove_statements().empty());
  CHECK_FALSE(guard.has_log());
  CHECK_NOTHROW(scene.database().query("SELECT * FROM taskctl_guards_of_others"));
  CHECK_NOTHROW(scene.database().exec("UPDATE tasks SET finished_at = 'again' WHERE id = 1"));
}

TEST_CASE("a guard that was tampered with is named and put right") {
  const auto engine = GENERATE(from_range(test::engines()));
  auto scene = queue_scene(engine, 1);
  install(scene, GuardMode::reject);
  Guard guard = guard_of(scene);
  if (engine == Engine::sqlite) {
    scene.database().exec("DROP TRIGGER taskctl_guard_update_tasks; INSERT INTO taskctl_guard_state VALUES (1)");
    CHECK(guard.status().switched_off);
    scene.database().exec("DELETE FROM taskctl_guard_state");
  } else {
    scene.database().exec("ALTER TABLE tasks DISABLE TRIGGER taskctl_guard_update");
  }
  const GuardStatus broken = guard.status();
  CHECK_FALSE(broken.matches());
  CHECK(std::ranges::any_of(broken.items, [&](const GuardItem& item) {
    return item.state == (engine == Engine::sqlite ? GuardItem::State::missing : GuardItem::State::disabled);
  }));
  guard.run(guard.install_statements(GuardMode::reject));
  CHECK(guard.status().matches());
}

TEST_CASE("rows that are wrong already are counted and only a clean table is validated") {
  auto scene = queue_scene(Engine::postgres, 3, k_contradiction);
  install(scene, GuardMode::reject);
  Guard guard = guard_of(scene);
  CHECK(wrong_rows(guard).at(0) == 1);
  REQUIRE_FALSE(guard.validation().empty());
  CHECK_THROWS_AS(guard.run({guard.validation()}), ConstraintError);
  CHECK(guard.status().matches());

  const ApplyResult run = scene.apply(scene.reconcile());
  CHECK(run.run.applied == 3);
  CHECK(wrong_rows(guard).at(0) == 0);
  guard.run({guard.validation()});
  CHECK(guard.validation().empty());
  CHECK(scene.database().value("SELECT convalidated FROM pg_constraint WHERE conname = 'taskctl_guard_finished'") ==
        "t");
}

TEST_CASE("an application that holds the table lets a guard be installed later or not at all") {
  const auto engine = GENERATE(from_range(test::engines()));
  auto scene = queue_scene(engine, 1);
  Guard guard = guard_of(scene);
  const std::vector<std::string> statements = guard.install_statements(GuardMode::reject);
  scene.database().exec("BEGIN; UPDATE tasks SET note = 'busy' WHERE id = 1");
  CHECK_THROWS_AS(guard.run(statements), BusyError);
  scene.database().exec("COMMIT");
  CHECK_FALSE(guard.status().mode.has_value());
  CHECK(guard.remove_statements().empty());
  CHECK_NOTHROW(guard.run(statements));
}

TEST_CASE("views and partitioned tables cannot be guarded") {
  const auto engine = GENERATE(from_range(test::engines()));
  auto scene = queue_scene(engine, 1);
  Schema schema = scene.store().schema();
  schema.tables.at("tasks").name.name = "other";
  scene.database().exec("CREATE VIEW other AS SELECT * FROM tasks");
  CHECK_THROWS_WITH((Guard{scene.connection(), scene.profile(), schema, "taskctl"}), Contains("it is a view"));
  if (engine == Engine::postgres) {
    scene.database().exec("DROP VIEW other; CREATE TABLE other (id integer) PARTITION BY LIST (id)");
    CHECK_THROWS_WITH((Guard{scene.connection(), scene.profile(), schema, "taskctl"}), Contains("partitioned table"));
  }
}

TEST_CASE("a guard follows classes that are conditions and names with quotes") {
  const auto engine = GENERATE(from_range(test::engines()));
  const Profile profile = parse_profile(R"TOML(
format  = 1
name    = "odd"
summary = "odd names"
engines = ["sqlite", "postgres"]
safety  = "read-only"

[task]
table  = "ta\"sks"
key    = ["i'd", "part"]
status = "sta te"

[task.time]
started  = "started"
finished = "fin\"ished"

[encoding.seconds]
format = "unix-s"

[times."ta\"sks"]
started        = "seconds"
"fin\"ished"   = "seconds"

[[class]]
when  = "\"sta te\" = 'running' AND stage = 'held'"
class = "parked"

[[class]]
column    = "sta te"
queued    = ["queued"]
active    = ["running"]
succeeded = ["it's done"]
)TOML",
                                        "odd.toml");
  RepairScene scene{
      temp_database(engine,
                    R"(CREATE TABLE "ta""sks" ("i'd" integer, part text, "sta te" text, stage text, started bigint,
                       "fin""ished" bigint, PRIMARY KEY ("i'd", part));
                       INSERT INTO "ta""sks" VALUES (1, 'a', 'running', 'x', 1, NULL), (1, 'b', 'running', 'held', 1, NULL))"),
      profile, k_queue_now};
  install(scene, GuardMode::log);
  scene.database().exec(R"(UPDATE "ta""sks" SET "fin""ished" = 2)");
  Guard guard = guard_of(scene);
  REQUIRE(guard.report(10).size() == 1);  // the held one is parked
  CHECK(guard.report(10)[0].task == R"(["1","a"])");
  scene.database().exec(R"(UPDATE "ta""sks" SET "sta te" = 'it''s done')");
  install(scene, GuardMode::reject);
  CHECK(guard.status().matches());
  CHECK_THROWS_WITH(scene.database().exec(R"(UPDATE "ta""sks" SET "sta te" = 'running')"), Contains("taskctl_guard_"));
  guard.run(guard.remove_statements());
  CHECK_FALSE(guard.status().mode.has_value());
}
