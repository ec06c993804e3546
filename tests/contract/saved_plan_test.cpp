#include <array>
#include <catch2/catch.hpp>
#include <thread>

#include "base/error.hpp"
#include "contract/repair_scene.hpp"
#include "engine/plan_check.hpp"
#include "view/plan_file.hpp"

using namespace taskctl;
using namespace taskctl::test;
using Catch::Matchers::Contains;

namespace {

/// The plan as another process reads it from a file.
Plan through_file(const Plan& plan) {
  const TempFolder folder;
  PlanFileInfo info;
  write_plan_file(folder.path() / "plan", plan, info);
  return read_plan_file(folder.path() / "plan").plan;
}

std::pair<Freshness, std::string> freshness_of(const Plan& plan, const PlanCheck& check, const std::string& task) {
  std::pair<Freshness, std::string> found{Freshness::fresh, "no such task"};
  plan.for_each([&](std::size_t index, const PlanUnit& unit) {
    if (unit.task == task) {
      found = {check.freshness(index), check.detail(index)};
    }
  });
  return found;
}

PlanCheck check_reading(RepairScene& scene, const Plan& plan) {
  const std::unique_ptr<Connection> connection = scene.database().open(Access::read);
  const Schema schema = read_schema(*connection, scene.profile());
  TaskStore store{*connection, scene.profile(), schema};
  return check_plan(store, plan);
}

template <typename Action>
ExitCode code_of(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.code();
  }
  return ExitCode::ok;
}

}  // namespace

TEST_CASE("a plan from a file is applied as it was made, and taken back") {
  const auto engine = GENERATE(from_range(test::engines()));
  auto scene = queue_scene(engine, 3);
  const auto before = scene.everything();
  const Plan plan = through_file(scene.reconcile());
  const ApplyResult result = scene.apply(plan);
  CHECK(result.run.applied == 3);
  CHECK(scene.journal().find_run(result.run.id)->plan_hash == plan.hash());
  CHECK(scene.apply(through_file(scene.undo(result.run.id))).run.applied == 3);
  CHECK(scene.everything() == before);
}

TEST_CASE("a check calls every planned task fresh changed moved on refused or gone") {
  const auto engine = GENERATE(from_range(test::engines()));
  auto scene = queue_scene(engine, 7);
  const Plan plan = through_file(scene.reconcile());
  CHECK(check_reading(scene, plan).all_fresh());
  scene.database().exec(
      "UPDATE tasks SET extra = 'x' WHERE id = 2; UPDATE tasks SET state = 'done' WHERE id = 3;"
      "DELETE FROM tasks WHERE id = 4; UPDATE tasks SET risky = 1 WHERE id = 5;"
      "UPDATE owners SET running = 9 WHERE name = 'o6'; DELETE FROM claims WHERE task_id = 7");
  const auto everything = scene.everything();
  const PlanCheck check = check_reading(scene, plan);
  CHECK(freshness_of(plan, check, "1") == std::pair{Freshness::fresh, std::string{}});
  CHECK(freshness_of(plan, check, "2").first == Freshness::changed);
  CHECK_THAT(freshness_of(plan, check, "2").second, Contains("column 'extra' is 'x' instead of NULL"));
  CHECK(freshness_of(plan, check, "3").first == Freshness::moved_on);
  CHECK(freshness_of(plan, check, "4").first == Freshness::gone);
  CHECK(freshness_of(plan, check, "5").first == Freshness::refused);
  CHECK_THAT(freshness_of(plan, check, "6").second, Contains("name=o6"));
  CHECK(freshness_of(plan, check, "7").first == Freshness::changed);
  CHECK(check.count(Freshness::changed) == 3);
  CHECK_FALSE(check.all_fresh());
  CHECK(scene.everything() == everything);
  // What the check says is what the run does.
  const ApplyResult result = scene.apply(plan);
  CHECK(result.run.applied == 1);
  CHECK(result.run.moved_on == 2);
  CHECK(result.run.conflicts == 3);
  CHECK(report_on(result, "5").result == UnitResult::refused);
}

TEST_CASE("a check of an undo sees what was changed and what is gone") {
  const auto engine = GENERATE(from_range(test::engines()));
  auto scene = queue_scene(engine, 3);
  const ApplyResult done = scene.apply(scene.reconcile());
  const Plan undo = through_file(scene.undo(done.run.id));
  CHECK(check_reading(scene, undo).all_fresh());
  scene.database().exec("UPDATE tasks SET note = 'mine' WHERE id = 1; DELETE FROM tasks WHERE id = 2");
  const PlanCheck check = check_reading(scene, undo);
  CHECK(freshness_of(undo, check, "1").first == Freshness::changed);
  CHECK(freshness_of(undo, check, "2").first == Freshness::gone);
  CHECK(freshness_of(undo, check, "3").first == Freshness::fresh);
}

TEST_CASE("a check expects of a second task on the same row what the run will meet") {
  const auto engine = GENERATE(from_range(test::engines()));
  auto scene = queue_scene(engine, 2, "UPDATE tasks SET owner = 'o1'; UPDATE owners SET running = 2 WHERE name = 'o1'");
  const Plan plan = through_file(scene.reconcile());
  const PlanCheck check = check_reading(scene, plan);
  CHECK(check.count(Freshness::fresh) == 1);
  CHECK(check.count(Freshness::changed) == 1);
  CHECK(scene.apply(plan).run.conflicts == 1);
}

TEST_CASE("a saved plan is refused elsewhere, after a change of tables or profile, and once it was applied") {
  const auto engine = GENERATE(from_range(test::engines()));
  auto scene = queue_scene(engine, 2);
  const Plan plan = through_file(scene.reconcile());
  CHECK(code_of([&] { require_same_target(plan, scene.store()); }) == ExitCode::ok);
  CHECK(code_of([&] { require_unapplied(plan, scene.journal()); }) == ExitCode::ok);

  auto elsewhere = queue_scene(engine, 2);
  CHECK(code_of([&] { require_same_target(plan, elsewhere.store()); }) == ExitCode::stale);
  CHECK(code_of([&] { elsewhere.apply(plan); }) == ExitCode::stale);
  CHECK(elsewhere.rows("claims").size() == 2);
  CHECK_FALSE(elsewhere.journal().exists());

  Profile newer = scene.profile();
  newer.hash = "other";
  TaskStore other_profile{scene.connection(), newer, scene.store().schema()};
  CHECK_THROWS_WITH(require_same_target(plan, other_profile), Contains("another version of profile 'queue'"));
  newer.name = "renamed";
  CHECK_THROWS_WITH(require_same_target(plan, other_profile), Contains("profile 'queue', and this is 'renamed'"));

  CHECK(scene.apply(plan).run.applied == 2);
  CHECK(code_of([&] { require_unapplied(plan, scene.journal()); }) == ExitCode::stale);
  CHECK_THROWS_WITH(require_unapplied(plan, scene.journal()),
                    Contains("already applied by run '") && Contains("tester@here"));

  scene.database().exec("ALTER TABLE tasks ADD COLUMN new_one text");
  const Schema altered = read_schema(scene.connection(), scene.profile());
  TaskStore other_tables{scene.connection(), scene.profile(), altered};
  CHECK_THROWS_WITH(require_same_target(plan, other_tables), Contains("were altered"));
}

TEST_CASE("of two sessions that apply one plan at once one writes") {
  const auto engine = GENERATE(from_range(test::engines()));
  auto scene = queue_scene(engine, 40);
  const Plan plan = through_file(scene.reconcile());
  scene.journal().create();
  // No run lock here: the journal's unique nonce alone has to keep the second one out.
  std::array<std::int64_t, 2> applied{};
  std::array<ExitCode, 2> codes{ExitCode::ok, ExitCode::ok};
  const auto apply = [&](std::size_t which) {
    codes[which] = code_of([&] {
      const std::unique_ptr<Connection> connection = scene.database().open(Access::write);
      const Schema schema = read_schema(*connection, scene.profile());
      TaskStore store{*connection, scene.profile(), schema};
      Journal journal{*connection};
      RunRecord run;
      run.started = connection->now();
      run.id = new_run_id(run.started);
      run.command = plan.command;
      run.plan_nonce = plan.nonce;
      applied[which] = Applier{store, journal, {.batch_size = 4}}.apply(plan, run).run.applied;
    });
  };
  std::thread first{apply, 0};
  std::thread second{apply, 1};
  first.join();
  second.join();
  // Rows that the loser held for a moment are busy to the winner; nothing is written by both.
  const std::string done = std::to_string(applied[0] + applied[1]);
  CHECK(scene.database().value("SELECT count(*) FROM tasks WHERE state = 'failed'") == done);
  CHECK(scene.database().value("SELECT count(*) FROM events") == done);
  CHECK(scene.database().value("SELECT count(*) FROM owners WHERE running = 0") == done);
  CHECK(scene.journal().runs(10).size() == 1);
  CHECK((applied[0] == 0) != (applied[1] == 0));
  CHECK((codes[0] == ExitCode::ok || codes[0] == ExitCode::stale));
  CHECK((codes[1] == ExitCode::ok || codes[1] == ExitCode::stale));
}

TEST_CASE("strict writes all or nothing") {
  const auto engine = GENERATE(from_range(test::engines()));
  const std::string change = GENERATE("UPDATE tasks SET extra = 'x' WHERE id = 3",     // a conflict
                                      "UPDATE tasks SET state = 'done' WHERE id = 3",  // moved on
                                      "DELETE FROM tasks WHERE id = 3",                // gone
                                      "UPDATE tasks SET risky = 1 WHERE id = 3");      // a hazard
  auto scene = queue_scene(engine, 5);
  const Plan plan = through_file(scene.reconcile());
  scene.database().exec(change);
  const auto before = scene.everything();
  const ApplyResult refused = scene.apply(plan, {.batch_size = 2, .strict = true});
  CHECK(refused.refused_all);
  CHECK(refused.run.applied == 0);
  CHECK(refused.reports.size() == 1);
  CHECK(refused.not_tried == 4);
  CHECK(refused.reports.at(0).task == "3");
  CHECK(scene.everything() == before);
  CHECK(scene.journal().runs(10).empty());
  CHECK_FALSE(scene.connection().in_transaction());
  // The plan is not used up by that.
  CHECK(scene.apply(plan).run.applied == 4);
}

TEST_CASE("strict applies a plan that is fresh in one transaction") {
  const auto engine = GENERATE(from_range(test::engines()));
  auto scene = queue_scene(engine, 5);
  const ApplyResult result = scene.apply(through_file(scene.reconcile()), {.batch_size = 2, .strict = true});
  CHECK_FALSE(result.refused_all);
  CHECK(result.run.applied == 5);
  CHECK(result.reports.empty());
}

TEST_CASE("strict takes back what was written before a row that the database refuses") {
  const auto engine = GENERATE(from_range(test::engines()));
  auto scene = queue_scene(engine, 4, "UPDATE owners SET running = 0 WHERE name = 'o3'");
  const auto before = scene.everything();
  const ApplyResult result = scene.apply(scene.reconcile(), {.strict = true});
  CHECK(result.refused_all);
  CHECK(result.run.failed == 1);
  CHECK(scene.everything() == before);
  CHECK(scene.journal().runs(10).empty());
}

TEST_CASE("strict with a row that somebody holds writes nothing") {
  auto scene = queue_scene(Engine::postgres, 3);
  const Plan plan = scene.reconcile();
  scene.database().exec("BEGIN; SELECT 1 FROM tasks WHERE id = 2 FOR UPDATE");
  const ApplyResult result = scene.apply(plan, {.strict = true});
  scene.database().exec("ROLLBACK");
  CHECK(result.refused_all);
  CHECK(result.run.busy == 1);
  CHECK(scene.state_of("1") == "running");
}

TEST_CASE("strict refuses more units than one transaction should have") {
  CHECK(code_of([] { require_strict_size(k_strict_units); }) == ExitCode::ok);
  CHECK(code_of([] { require_strict_size(k_strict_units + 1); }) == ExitCode::refused);
}

TEST_CASE("mangled plans that are sealed again never change a row that was not planned") {
  const auto engine = GENERATE(from_range(test::engines()));
  auto scene = queue_scene(engine, 3);
  Plan plan = scene.reconcile();
  // Of a table that the profile does not name, nothing is written whatever a file says.
  Plan forged = through_file(plan);
  PlanUnit unit = forged.unit(0);
  unit.changes.at(0).table.name = "sqlite_master";
  forged.append(unit);
  const auto before = scene.everything();
  CHECK(code_of([&] { scene.apply(through_file(forged)); }) == ExitCode::stale);
  CHECK(code_of([&] { static_cast<void>(check_reading(scene, forged)); }) == ExitCode::stale);
  // A key with another number of parts is no key of this profile.
  Plan other_key = scene.reconcile();
  PlanUnit wide = other_key.unit(0);
  wide.finding->task.key.parts = {"1", "2"};
  other_key.append(wide);
  CHECK(code_of([&] { scene.apply(other_key); }) == ExitCode::stale);
  CHECK(scene.everything() == before);
}
