#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "contract/repair_scene.hpp"

using namespace taskctl;
using namespace taskctl::test;
using Catch::Matchers::Contains;

namespace {

std::vector<LeftOut::Why> whys(const Plan& plan) {
  std::vector<LeftOut::Why> all;
  for (const LeftOut& left : plan.left_out) {
    all.push_back(left.why);
  }
  return all;
}

}  // namespace

TEST_CASE("undo puts every table back and can itself be undone") {
  const auto engine = GENERATE(from_range(test::engines()));
  auto scene = queue_scene(engine, 7);
  const auto before = scene.everything();
  const ApplyResult run = scene.apply(scene.reconcile(), {.batch_size = 3});
  const auto after = scene.everything();
  CHECK(after != before);

  const Plan plan = scene.undo(run.run.id);
  CHECK(plan.undoes == run.run.id);
  CHECK(plan.change_count() == 28);
  CHECK(plan.unit(0).changes.at(0).table.name == "owners");  // the last change first
  const ApplyResult undone = scene.apply(plan, {.batch_size = 2});
  CHECK(undone.run.applied == 7);
  CHECK(undone.reports.empty());
  CHECK(scene.everything() == before);
  CHECK(scene.journal().undone_by(run.run.id) == std::vector<std::string>{undone.run.id});
  CHECK(scene.journal().last_undoable()->id == run.run.id);

  const Plan nothing = scene.undo(run.run.id);
  CHECK(nothing.empty());
  CHECK(whys(nothing) == std::vector<LeftOut::Why>(7, LeftOut::Why::nothing_to_do));

  const ApplyResult redone = scene.apply(scene.undo(undone.run.id));
  CHECK(redone.run.applied == 7);
  CHECK(scene.everything() == after);
}

TEST_CASE("undo restores every kind of value byte for byte") {
  const auto engine = GENERATE(from_range(test::engines()));
  const std::string sqlite_columns =
      "ALTER TABLE tasks ADD COLUMN v; UPDATE tasks SET extra = CAST(x'ff00fe' AS TEXT), v = CASE id WHEN 1 THEN "
      "x'00ff' WHEN 2 THEN 9223372036854775807 WHEN 3 THEN -9223372036854775807 - 1 WHEN 4 THEN 1e999 WHEN 5 THEN 0.1 "
      "WHEN 6 THEN x'' WHEN 7 THEN CAST(x'61ff62' AS TEXT) WHEN 8 THEN '' END;";
  const std::string postgres_columns =
      "ALTER TABLE tasks ADD COLUMN b bytea, ADD COLUMN d double precision, ADD COLUMN j jsonb, ADD COLUMN k json, ADD "
      "COLUMN t timestamptz, ADD COLUMN i interval, ADD COLUMN a text[], ADD COLUMN n numeric, ADD COLUMN g integer "
      "GENERATED ALWAYS AS (id * 2) STORED;"
      "UPDATE tasks SET b = '\\x00ff', d = CASE id WHEN 1 THEN 'NaN' WHEN 2 THEN '-0' WHEN 3 THEN 0.1 WHEN 4 THEN "
      "'-Infinity'::float8 ELSE 1e-300 END, j = '{\"b\": 1, \"a\": [null, \"x\"]}', k = '{ \"b\":1,  \"b\":2 }', t = "
      "'2025-03-30 01:59:59.999999+02', i = '1 mon 3 days -04:05:06', a = ARRAY['x,y', NULL, '\"'], n = "
      "12345678901234567890.1000;";
  auto scene = queue_scene(engine, 8, engine == Engine::sqlite ? sqlite_columns : postgres_columns);
  const auto types = [&] {
    return engine == Engine::sqlite ? scene.database().query(
                                          "SELECT typeof(v), hex(v), quote(v), hex(extra) FROM tasks "
                                          "ORDER BY id")
                                    : std::vector<Cells>{};
  };
  const auto before = scene.everything();
  const auto types_before = types();
  const ApplyResult run = scene.apply(scene.reconcile());
  CHECK(run.run.applied == 8);
  const ApplyResult undone = scene.apply(scene.undo(run.run.id));
  CHECK(undone.run.applied == 8);
  CHECK(undone.reports.empty());
  CHECK(scene.everything() == before);
  CHECK(types() == types_before);
}

TEST_CASE("undo restores deleted rows with every kind of value") {
  const auto engine = GENERATE(from_range(test::engines()));
  const std::string more =
      engine == Engine::sqlite
          ? "ALTER TABLE claims ADD COLUMN v; UPDATE claims SET v = CASE task_id WHEN 1 THEN x'00' "
            "WHEN 2 THEN CAST(x'ff' AS TEXT) WHEN 3 THEN -0.5 END"
          : "ALTER TABLE claims ADD COLUMN seq integer GENERATED ALWAYS AS IDENTITY, ADD COLUMN "
            "twice integer GENERATED ALWAYS AS (task_id * 2) STORED, ADD COLUMN b bytea DEFAULT "
            "'\\xff00'";
  auto scene = queue_scene(engine, 3, more);
  const auto before = scene.everything();
  const ApplyResult run = scene.apply(scene.reconcile());
  CHECK(scene.rows("claims").empty());
  const ApplyResult undone = scene.apply(scene.undo(run.run.id));
  CHECK(undone.reports.empty());
  CHECK(scene.everything() == before);
}

TEST_CASE("undo keeps and names rows that were changed since") {
  const auto engine = GENERATE(from_range(test::engines()));
  auto scene = queue_scene(engine, 4);
  const ApplyResult run = scene.apply(scene.reconcile());
  scene.database().exec(
      "UPDATE tasks SET note = 'seen by me' WHERE id = 1; UPDATE owners SET running = 5 WHERE name = "
      "'o2'; DELETE FROM tasks WHERE id = 3");
  const auto changed = scene.database().query("SELECT * FROM tasks WHERE id IN (1, 2)");
  const Plan plan = scene.undo(run.run.id);
  std::map<std::string, std::string> kept;
  for (const LeftOut& left : plan.left_out) {
    CHECK(left.why == LeftOut::Why::changed_since);
    kept[left.task] = left.detail;
  }
  CHECK(kept.size() == 3);
  CHECK_THAT(kept["1"], Contains("column 'note' is 'seen by me'"));
  CHECK_THAT(kept["2"], Contains("owners name=o2"));
  CHECK_THAT(kept["3"], Contains("is gone"));
  const ApplyResult undone = scene.apply(plan);
  CHECK(undone.run.applied == 1);
  CHECK(undone.run.conflicts == 0);
  CHECK(scene.database().query("SELECT * FROM tasks WHERE id IN (1, 2)") == changed);
  CHECK(scene.state_of("4") == "running");
  CHECK(scene.database().value("SELECT count(*) FROM claims") == "1");
}

TEST_CASE("undo keeps and names rows that are changed between plan and run") {
  const auto engine = GENERATE(from_range(test::engines()));
  auto scene = queue_scene(engine, 4);
  const ApplyResult run = scene.apply(scene.reconcile());
  const Plan plan = scene.undo(run.run.id);
  CHECK(plan.size() == 4);
  scene.database().exec(
      "UPDATE tasks SET note = 'seen by me' WHERE id = 1; UPDATE owners SET running = 5 WHERE name = "
      "'o2'; DELETE FROM tasks WHERE id = 3");
  const auto changed = scene.database().query("SELECT * FROM tasks WHERE id IN (1, 2)");
  const ApplyResult undone = scene.apply(plan);
  CHECK(undone.run.applied == 1);
  CHECK(undone.run.conflicts == 3);
  CHECK_THAT(report_on(undone, "1").detail, Contains("column 'note' is 'seen by me'"));
  CHECK_THAT(report_on(undone, "2").detail, Contains("name=o2"));
  CHECK_THAT(report_on(undone, "3").detail, Contains("is gone"));
  CHECK(scene.database().query("SELECT * FROM tasks WHERE id IN (1, 2)") == changed);
}

TEST_CASE("undo of some tasks leaves the others") {
  const auto engine = GENERATE(from_range(test::engines()));
  auto scene = queue_scene(engine, 3);
  const ApplyResult run = scene.apply(scene.reconcile());
  const Plan plan = scene.undo(run.run.id.substr(0, 20), {"2", "99"});
  CHECK(plan.size() == 1);
  CHECK(whys(plan) == std::vector<LeftOut::Why>{LeftOut::Why::unknown});
  scene.apply(plan);
  CHECK(scene.state_of("2") == "running");
  CHECK(scene.state_of("1") == "failed");
}

TEST_CASE("undo tells what a trigger did beside it") {
  const auto engine = GENERATE(from_range(test::engines()));
  auto scene = queue_scene(engine, 1);
  const ApplyResult run = scene.apply(scene.reconcile());
  const std::string trigger =
      engine == Engine::sqlite
          ? "CREATE TRIGGER mark AFTER UPDATE OF state ON tasks BEGIN UPDATE tasks SET extra = 'touched' WHERE id = "
            "new.id; END"
          : "CREATE FUNCTION mark() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN new.extra = 'touched'; RETURN new; "
            "END$$; CREATE TRIGGER mark BEFORE UPDATE ON tasks FOR EACH ROW EXECUTE FUNCTION mark()";
  scene.database().exec(trigger);
  // A new session sees the trigger in its catalogue.
  const auto connection = RepairScene::open_impatient(scene.database());
  const Schema schema = read_schema(*connection, scene.profile());
  TaskStore store{*connection, scene.profile(), schema};
  Journal journal{*connection};
  const Plan plan = plan_undo(store, journal, {.run = run.run.id, .tasks = {}});
  RunRecord record = scene.record_for(plan);
  const ApplyResult undone = Applier{store, journal, {}}.apply(plan, record);
  CHECK(undone.run.applied == 1);
  REQUIRE(undone.reports.size() == 1);
  REQUIRE(undone.reports[0].side_effects.size() == 1);
  CHECK(undone.reports[0].side_effects[0].column == "extra");
  CHECK(scene.state_of("1") == "running");
}

TEST_CASE("undo of the workspace fixture restores it") {
  RepairScene scene{temp_postgres(fixture("workspace_tasks.postgres.sql")), find_profile("workspace-tasks"),
                    "2025-11-07T20:00:00+08:00"};
  const auto before = std::pair{scene.rows("workspace_tasks"), scene.rows("workspaces")};
  const ApplyResult run = scene.apply(scene.reconcile());
  CHECK(run.run.applied == 8);
  scene.apply(scene.undo(run.run.id));
  CHECK(std::pair{scene.rows("workspace_tasks"), scene.rows("workspaces")} == before);
}

TEST_CASE("undo refuses a run of another profile") {
  auto scene = queue_scene(Engine::sqlite, 1);
  const ApplyResult run = scene.apply(scene.reconcile());
  scene.database().exec("UPDATE taskctl_runs SET profile = 'other'");
  try {
    static_cast<void>(scene.undo(run.run.id));
    FAIL("planned");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::mismatch);
    CHECK_THAT(error.hint(), Contains("--profile other"));
  }
  CHECK_FALSE(scene.connection().in_transaction());
}

namespace {

/// In a child process: plans and applies in batches of five, writes a byte to `pipe` after the first batch and kills
/// itself after batch `last`.
[[noreturn]] void apply_in_child(const std::string& location, int pipe, int last) {
  const auto connection = sqlite_driver().open(parse_location(location), Access::write, {});
  const Profile profile = parse_profile(k_queue_profile, "queue.toml");
  const Schema schema = read_schema(*connection, profile);
  TaskStore store{*connection, profile, schema};
  Journal journal{*connection};
  ReconcileRequest request{
      .selector = {}, .policy = profile.policy, .now = parse_instant(k_queue_now, "now"), .reason = "", .limit = {}};
  request.policy.max_age_given = true;
  const Plan plan = plan_reconcile(store, request);
  RunRecord run;
  run.started = connection->now();
  run.id = new_run_id(run.started);
  run.command = "reconcile";
  run.profile = plan.profile;
  run.plan_nonce = plan.nonce;
  int done = 0;
  Applier{store,
          journal,
          {.batch_size = 5,
           .progress =
               [&](const ApplyProgress&) {
                 if (++done == 1 && ::write(pipe, "x", 1) != 1) {
                   ::_exit(1);
                 }
                 if (done == last) {
                   ::kill(::getpid(), SIGKILL);
                 }
               }}}
      .apply(plan, run);
  ::_exit(0);
}

/// The child dies at the end of batch `last`, or `microseconds` after its first batch.
void apply_and_die(const std::string& location, int last, unsigned microseconds) {
  int ends[2] = {-1, -1};
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    try {
      apply_in_child(location, ends[1], last);
    } catch (...) {
      ::_exit(1);
    }
  }
  ::close(ends[1]);
  char byte = 0;
  CHECK(::read(ends[0], &byte, 1) == 1);
  ::close(ends[0]);
  if (microseconds > 0) {
    ::usleep(microseconds);
    ::kill(child, SIGKILL);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
}

}  // namespace

TEST_CASE("a killed run is a prefix of whole batches and can be undone") {
  // The first rounds die at the end of a batch, the others anywhere.
  const int round = GENERATE(range(1, 16));
  const bool at_batch = round <= 5;
  auto scene = queue_scene(Engine::sqlite, 40);
  const auto before = scene.everything();
  apply_and_die(scene.database().location(), at_batch ? round : 1000,
                at_batch ? 0 : static_cast<unsigned>(round - 5) * 3700);
  CHECK(scene.database().value("PRAGMA integrity_check") == "ok");
  const std::size_t failed =
      static_cast<std::size_t>(std::stoi(*scene.database().value("SELECT count(*) FROM tasks WHERE state = 'failed'")));
  CHECK(failed % 5 == 0);
  CHECK(failed >= 5);
  if (at_batch) {
    CHECK(failed == static_cast<std::size_t>(round) * 5);
  }
  CHECK(scene.rows("claims").size() == 40 - failed);
  CHECK(scene.rows("events").size() == failed);
  const std::vector<RunRecord> runs = scene.journal().runs(10);
  REQUIRE(runs.size() == 1);
  CHECK((failed == 40 || runs[0].state == RunState::started));
  CHECK(scene.entries(runs[0].id).size() == failed * 4);
  scene.apply(scene.undo(runs[0].id));
  CHECK(scene.everything() == before);
  CHECK(scene.apply(scene.reconcile()).run.applied == 40);
}
