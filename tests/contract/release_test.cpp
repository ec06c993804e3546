#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "contract/worker_scene.hpp"

using namespace taskctl;
using namespace taskctl::test;
using Catch::Matchers::Contains;

namespace {

ReleasePlan release(RepairScene& scene, const std::string& worker, bool force = false) {
  return plan_release(
      scene.store(),
      {.worker = worker, .force = force, .policy = scene.policy, .now = scene.now, .reason = "", .ids = {}});
}

/// "3 failed" for every unit of a plan.
std::vector<std::string> outcomes_of(const Plan& plan) {
  std::vector<std::string> units;
  plan.for_each([&units](std::size_t, const PlanUnit& unit) {
    units.push_back(unit.task + " " + std::string{to_string(unit.finding->outcome)});
  });
  return units;
}

std::vector<std::vector<Cells>> rows_of_crew(RepairScene& scene) {
  return {scene.rows("tasks"), scene.rows("nodes")};
}

std::string used(RepairScene& scene, const std::string& node) {
  return scene.database().value("SELECT used FROM nodes WHERE name = '" + node + "'").value_or("NULL");
}

using Units = std::vector<std::string>;
const std::string k_beat = "UPDATE nodes SET beat_at = '2025-06-01 11:59:59' WHERE name = 'gone'";

}  // namespace

TEST_CASE("what a dead worker held is ended its account is right and undo brings it back") {
  auto scene = crew_scene(GENERATE(from_range(test::engines())));
  const auto before = rows_of_crew(scene);
  const ReleasePlan planned = release(scene, "gone");
  CHECK(planned.known);
  CHECK(planned.held == 3);
  CHECK(outcomes_of(planned.plan) == Units{"3 failed", "5 cancelled", "4 failed", "nodes:gone corrected"});
  CHECK(planned.plan.unit(3).depends_on == std::vector<std::size_t>{0, 1, 2});
  const ApplyResult result = scene.apply(planned.plan);
  CHECK(result.run.applied == 4);
  CHECK(result.reports.empty());
  CHECK(used(scene, "gone") == "0");
  CHECK(scene.database().value("SELECT count(*) FROM tasks WHERE node = 'gone' AND state = 'running'") == "0");
  CHECK(scene.state_of("1") == "running");
  CHECK(scene.state_of("2") == "running");
  CHECK(used(scene, "idle") == "9");
  CHECK_THAT(*scene.database().value("SELECT note FROM tasks WHERE id = 3"), Contains("its worker is dead"));
  CHECK(scene.journal().find_run(result.run.id)->command == "release-worker");
  CHECK(release(scene, "gone").plan.empty());
  CHECK(scene.apply(scene.undo(result.run.id)).run.applied == 4);
  CHECK(rows_of_crew(scene) == before);
}

TEST_CASE("an outcome on the command line is that of every task") {
  auto scene = crew_scene(GENERATE(from_range(test::engines())));
  scene.policy.outcome = Outcome::requeued;
  const ReleasePlan planned = release(scene, "gone");
  CHECK(outcomes_of(planned.plan) == Units{"3 requeued", "5 requeued", "4 requeued", "nodes:gone corrected"});
  CHECK(scene.apply(planned.plan).run.applied == 4);
  CHECK(scene.database().value("SELECT count(*) FROM tasks WHERE state = 'queued' AND node IS NULL") == "4");
}

TEST_CASE("a worker that is alive is not released with force either") {
  auto scene = crew_scene(GENERATE(from_range(test::engines())));
  const bool force = GENERATE(false, true);
  const ReleasePlan planned = release(scene, "live", force);
  CHECK(planned.liveness.liveness == Liveness::alive);
  CHECK(planned.plan.empty());
  CHECK(left_of(planned.plan) ==
        std::map<std::string, LeftOut::Why>{{"1", LeftOut::Why::worker_alive}, {"2", LeftOut::Why::worker_alive}});
}

TEST_CASE("a worker of which nothing is known wants force and keeps its young tasks") {
  auto scene = crew_scene(GENERATE(from_range(test::engines())));
  const ReleasePlan timid = release(scene, "stranger");
  CHECK(timid.liveness.liveness == Liveness::unknown);
  CHECK(timid.plan.empty());
  CHECK(left_of(timid.plan) ==
        std::map<std::string, LeftOut::Why>{{"6", LeftOut::Why::needs_force}, {"7", LeftOut::Why::needs_force}});
  const ReleasePlan forced = release(scene, "stranger", true);
  CHECK(outcomes_of(forced.plan) == Units{"6 failed"});
  CHECK(left_of(forced.plan) == std::map<std::string, LeftOut::Why>{{"7", LeftOut::Why::hazard}});
  scene.policy.accepted_hazards.insert("young");
  const ReleasePlan all = release(scene, "stranger", true);
  CHECK(outcomes_of(all.plan) == Units{"6 failed", "7 failed"});
  CHECK(scene.apply(all.plan).run.applied == 2);
}

TEST_CASE("a worker that only a suspect table calls dead wants force") {
  auto scene = crew_scene(GENERATE(from_range(test::engines())),
                          "UPDATE nodes SET beat_at = '2025-06-01 09:00:00' WHERE name = 'live';");
  const ReleasePlan timid = release(scene, "gone");
  CHECK(timid.liveness.suspect);
  CHECK(timid.plan.empty());
  CHECK(timid.plan.left_out_counts.at(LeftOut::Why::needs_force) == 3);
  const ReleasePlan forced = release(scene, "gone", true);
  CHECK(outcomes_of(forced.plan) == Units{"3 failed", "5 cancelled", "nodes:gone corrected"});
  CHECK(left_of(forced.plan) == std::map<std::string, LeftOut::Why>{{"4", LeftOut::Why::hazard}});
  CHECK(scene.apply(forced.plan).run.applied == 3);
  CHECK(used(scene, "gone") == "4");
}

TEST_CASE("an unknown worker is told from one that has nothing left") {
  auto scene = crew_scene(GENERATE(from_range(test::engines())));
  CHECK_FALSE(release(scene, "nobody", true).known);
  CHECK_FALSE(release(scene, std::string{"go\0ne", 5}).known);
  CHECK_FALSE(release(scene, "gone\xff").known);
  CHECK_FALSE(release(scene, "").known);
  CHECK(release(scene, "past", true).known);
  CHECK(release(scene, "past", true).plan.empty());
}

TEST_CASE("a dead worker without tasks gets its account put right") {
  auto scene = crew_scene(GENERATE(from_range(test::engines())));
  const ReleasePlan planned = release(scene, "idle");
  CHECK(outcomes_of(planned.plan) == Units{"nodes:idle corrected"});
  CHECK(scene.apply(planned.plan).run.applied == 1);
  CHECK(used(scene, "idle") == "0");
}

TEST_CASE("a task that was given to the dead worker a moment ago is left alone") {
  auto scene = crew_scene(GENERATE(from_range(test::engines())),
                          "UPDATE tasks SET started_at = '2025-06-01 11:59:30' WHERE id = 4;"
                          "UPDATE tasks SET started_at = '2025-06-01 15:00:00' WHERE id = 3;");
  const ReleasePlan planned = release(scene, "gone");
  CHECK(outcomes_of(planned.plan) == Units{"5 cancelled", "nodes:gone corrected"});
  CHECK(left_of(planned.plan) ==
        std::map<std::string, LeftOut::Why>{{"3", LeftOut::Why::reported_only}, {"4", LeftOut::Why::too_fresh}});
}

TEST_CASE("a worker that registers again between plan and application keeps rows_of_crew") {
  auto scene = crew_scene(GENERATE(from_range(test::engines())));
  const bool force = GENERATE(false, true);
  scene.policy.accepted_hazards.insert("young");
  const ReleasePlan planned = release(scene, "gone", force);
  REQUIRE(planned.plan.size() == 4);
  scene.database().exec(k_beat);
  const auto before = rows_of_crew(scene);
  const ApplyResult result = scene.apply(planned.plan);
  CHECK(result.run.applied == 0);
  for (const char* const id : {"3", "4", "5"}) {
    CHECK(report_on(result, id).result == UnitResult::refused);
    CHECK_THAT(report_on(result, id).detail, Contains("its worker is alive again") && Contains("beat_at 1s ago"));
  }
  CHECK(report_on(result, "nodes:gone").result == UnitResult::waiting);
  CHECK(rows_of_crew(scene) == before);
  CHECK_FALSE(scene.journal().find_run(result.run.id));
}

TEST_CASE("a worker that registers between two batches keeps what is left") {
  auto scene = crew_scene(GENERATE(from_range(test::engines())));
  scene.policy.accepted_hazards.insert("young");
  const Plan plan = release(scene, "stranger", true).plan;
  REQUIRE(outcomes_of(plan) == Units{"6 failed", "7 failed"});
  ApplyOptions options{.batch_size = 1};
  options.progress = [&scene, registered = false](const ApplyProgress& progress) mutable {
    if (progress.done > 0 && !registered) {
      registered = true;
      scene.database().exec("INSERT INTO nodes VALUES ('stranger', '2025-06-01 11:59:59', 2)");
    }
  };
  const ApplyResult result = scene.apply(plan, std::move(options));
  CHECK(result.run.applied == 1);
  CHECK(scene.state_of("6") == "failed");
  CHECK(report_on(result, "7").result == UnitResult::refused);
  CHECK(scene.state_of("7") == "running");
}

TEST_CASE("a task that changed hands or ended meanwhile has moved on") {
  auto scene = crew_scene(GENERATE(from_range(test::engines())));
  const Plan plan = release(scene, "gone").plan;
  scene.database().exec("UPDATE tasks SET node = 'idle' WHERE id = 3; UPDATE tasks SET state = 'failed' WHERE id = 4");
  const ApplyResult result = scene.apply(plan);
  CHECK(report_on(result, "3").result == UnitResult::moved_on);
  CHECK_THAT(report_on(result, "3").detail, Contains("is now held by 'idle'"));
  CHECK(report_on(result, "4").result == UnitResult::moved_on);
  CHECK(result.run.applied == 1);
  CHECK(scene.state_of("3") == "running");
  CHECK(scene.state_of("5") == "cancelled");
}

TEST_CASE("a conflict is planned again once and an alive worker ends that") {
  auto scene = crew_scene(GENERATE(from_range(test::engines())));
  const Plan plan = release(scene, "gone").plan;
  scene.database().exec("UPDATE tasks SET note = 'seen' WHERE id = 3; UPDATE nodes SET used = 11 WHERE name = 'gone'");
  const ApplyResult first = scene.apply(plan);
  CHECK(report_on(first, "3").result == UnitResult::conflict);
  CHECK(report_on(first, "nodes:gone").result == UnitResult::waiting);
  CHECK(first.run.applied == 2);
  const Plan again = replan(scene.store(), plan, {"3"});
  CHECK(outcomes_of(again) == Units{"3 failed", "nodes:gone corrected"});
  scene.database().exec(k_beat);
  const Plan refused = replan(scene.store(), plan, {"3"});
  CHECK(refused.empty());
  CHECK(left_of(refused).at("3") == LeftOut::Why::worker_alive);
  scene.database().exec("UPDATE nodes SET beat_at = '2025-06-01 09:00:00' WHERE name = 'gone'");
  CHECK(scene.apply(again).run.applied == 2);
  CHECK(used(scene, "gone") == "0");
}

TEST_CASE("a task that somebody locks is busy and the rest is released") {
  auto scene = crew_scene(Engine::postgres);
  const Plan plan = release(scene, "gone").plan;
  const std::unique_ptr<Connection> other = RepairScene::open_impatient(scene.database());
  other->begin(Access::write);
  other->run("UPDATE tasks SET note = 'mine' WHERE id = 3");
  const ApplyResult result = scene.apply(plan);
  other->rollback();
  CHECK(report_on(result, "3").result == UnitResult::busy);
  CHECK(result.run.applied == 2);
  CHECK(outcomes_of(replan(scene.store(), plan, {"3"})) == Units{"3 failed", "nodes:gone corrected"});
}

TEST_CASE("the dead worker of the cluster fixture gives back what it was given") {
  RepairScene scene{temp_postgres(fixture("cluster.postgres.sql")), find_profile("cluster"), "2025-11-16T13:20:00Z"};
  scene.policy = scene.profile().policy;
  const ReleasePlan planned = release(scene, "worker-2");
  CHECK(outcomes_of(planned.plan) == Units{"task-1763290006 failed", "worker_registry:worker-2 corrected"});
  CHECK(scene.apply(planned.plan).run.applied == 2);
  CHECK(scene.database().value("SELECT allocated_cpu || '/' || allocated_memory || '/' || available_cpu || '/' || "
                               "available_memory FROM worker_registry WHERE worker_id = 'worker-2'") == "0/0/4/8");
  CHECK(scene.database().value("SELECT count(*) FROM tasks WHERE status = 'running'") == "3");
}

TEST_CASE("a task of another worker by its newest assignment is not released") {
  RepairScene scene{temp_postgres(fixture("cluster.postgres.sql")), find_profile("cluster"), "2025-11-16T13:20:00Z"};
  const Plan plan = release(scene, "worker-2").plan;
  REQUIRE(plan.size() == 2);
  scene.database().exec(
      "INSERT INTO assignments VALUES ('ass-new', 'task-1763290006', 'worker-9', '2025-11-16 13:19:00+00')");
  const ApplyResult result = scene.apply(plan);
  CHECK(result.run.applied == 0);
  CHECK_THAT(report_on(result, "task-1763290006").detail, Contains("is now held by 'worker-9'"));
}
