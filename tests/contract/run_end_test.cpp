#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "contract/repair_scene.hpp"
#include "engine/applier.hpp"
#include "engine/planner.hpp"

// Runs that end before their last batch: stopped, failed, cut off; and what resuming does with them.

using namespace taskctl;
using namespace taskctl::test;
using namespace std::chrono_literals;

TEST_CASE("a stop ends the run between batches and the rest is untouched") {
  const auto engine = GENERATE(from_range(test::engines()));
  auto scene = queue_scene(engine, 9);
  StopSource stop;
  const Plan plan = scene.reconcile();
  const ApplyResult result = scene.apply(
      plan, {.batch_size = 3, .stop = &stop, .progress = [&stop](const ApplyProgress&) { stop.request(2); }});
  CHECK(result.stopped);
  CHECK(result.run.applied == 3);
  CHECK(result.run.state == RunState::stopped);
  CHECK(scene.journal().find_run(result.run.id)->state == RunState::stopped);
  CHECK(scene.database().value("SELECT count(*) FROM tasks WHERE state = 'running'") == "6");
  check_journal_matches_rows(scene, result.run.id, 12);
}

TEST_CASE("a failure after the first commit ends up in the result") {
  const auto engine = GENERATE(from_range(test::engines()));
  auto scene = queue_scene(engine, 6);
  const Plan plan = scene.reconcile();
  bool dropped = false;
  const ApplyResult result = scene.apply(plan, {.batch_size = 2, .progress = [&](const ApplyProgress&) {
                                                  if (!dropped) {
                                                    scene.database().exec("ALTER TABLE events RENAME TO gone");
                                                    dropped = true;
                                                  }
                                                }});
  CHECK(result.run.applied == 2);
  CHECK(result.not_tried == 4);
  CHECK_FALSE(result.failure.empty());
  CHECK(result.run.state == RunState::failed);
  CHECK(scene.journal().find_run(result.run.id)->state == RunState::failed);
  CHECK_FALSE(scene.connection().in_transaction());
  CHECK(scene.database().value("SELECT count(*) FROM tasks WHERE state = 'failed'") == "2");
}

TEST_CASE("a failure before the first commit is thrown and leaves nothing") {
  const auto engine = GENERATE(from_range(test::engines()));
  auto scene = queue_scene(engine, 3);
  const Plan plan = scene.reconcile();
  scene.database().exec("ALTER TABLE events RENAME TO gone");
  CHECK_THROWS_AS(scene.apply(plan), Error);
  CHECK_FALSE(scene.connection().in_transaction());
  CHECK(scene.state_of("1") == "running");
  CHECK(scene.journal().runs(1).empty());
}

TEST_CASE("a lost connection after the first commit is told") {
  auto scene = queue_scene(Engine::postgres, 6);
  const Plan plan = scene.reconcile();
  bool done = false;
  const ApplyResult result = scene.apply(plan, {.batch_size = 2, .progress = [&](const ApplyProgress&) {
                                                  if (!done) {
                                                    scene.database().query(
                                                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
                                                        "datname = current_database() AND pid <> pg_backend_pid()");
                                                    done = true;
                                                  }
                                                }});
  CHECK(result.run.applied == 2);
  CHECK(result.not_tried == 4);
  CHECK_FALSE(result.warnings.empty());
  CHECK(scene.database().value("SELECT state FROM taskctl.taskctl_runs") == "started");
  CHECK(scene.database().value("SELECT count(*) FROM tasks WHERE state = 'failed'") == "2");
}

TEST_CASE("a reason to stop ends the run between batches and resuming does the rest under the same id") {
  const auto engine = GENERATE(from_range(test::engines()));
  auto scene = queue_scene(engine, 9);
  const Plan plan = scene.reconcile();
  std::size_t done = 0;
  const ApplyResult stopped =
      scene.apply(plan, {.batch_size = 3,
                         .progress = [&done](const ApplyProgress& progress) { done = progress.done; },
                         .why_stop = [&done] { return done >= 6 ? std::string{"enough"} : std::string{}; }});
  CHECK(stopped.stopped);
  CHECK(stopped.stop_reason == "enough");
  CHECK(stopped.not_tried == 3);
  CHECK(stopped.run.applied == 6);
  CHECK(scene.journal().find_run(stopped.run.id)->state == RunState::stopped);

  // One that was ended is running again by now: it is a new story, and not this run's.
  const std::string again = *scene.journal().applied_tasks(stopped.run.id).begin();
  scene.database().exec("UPDATE tasks SET state = 'running', finished_at = NULL WHERE id = " + again);
  scene.database().exec("INSERT INTO claims VALUES (" + again + ", 'node-1', '2025-06-01 10:00:00')");
  scene.database().exec("UPDATE owners SET running = 1 WHERE name = 'o" + again + "'");
  const Plan rest = plan_rest(scene.store(), scene.journal(), plan, stopped.run.id, std::nullopt);
  CHECK(rest.size() == 3);
  CHECK(left_of(rest).at(again) == LeftOut::Why::applied_before);
  RunRecord run = *scene.journal().find_run(stopped.run.id);
  run.state = RunState::started;
  const ApplyResult resumed = Applier{scene.store(), scene.journal(), {}}.apply(rest, run);
  CHECK(resumed.run.id == stopped.run.id);
  CHECK(resumed.run.applied == 9);
  CHECK(scene.journal().find_run(run.id)->state == RunState::done);
  CHECK(scene.journal().applied_tasks(run.id).size() == 9);
}

TEST_CASE("what is left of a saved plan is its units without those of the journal") {
  auto scene = queue_scene(GENERATE(from_range(test::engines())), 4);
  const Plan plan = scene.reconcile();
  const Plan rest = rest_of(plan, {plan.unit(0).task, plan.unit(2).task});
  REQUIRE(rest.size() == 2);
  CHECK(rest.unit(0).task == plan.unit(1).task);
  CHECK(rest.unit(1).task == plan.unit(3).task);
  CHECK(rest.nonce == plan.nonce);
  CHECK(rest.identity == plan.identity);
}

TEST_CASE("pauses between batches are counted and a signal ends them at once") {
  auto scene = queue_scene(GENERATE(from_range(test::engines())), 6);
  StopSource stop;
  std::vector<std::string> pauses;
  const ApplyResult result = scene.apply(scene.reconcile(), {.batch_size = 2,
                                                             .stop = &stop,
                                                             .progress =
                                                                 [&](const ApplyProgress& progress) {
                                                                   pauses.push_back(progress.pause);
                                                                   if (progress.done == 4 && !progress.pause.empty()) {
                                                                     stop.request(15);
                                                                   }
                                                                 },
                                                             .sleep = std::chrono::milliseconds{60}});
  CHECK(result.stopped);
  CHECK(result.stop_reason.empty());
  CHECK(result.run.applied == 4);
  CHECK(pauses == std::vector<std::string>{"", "--sleep", "", "--sleep"});
  CHECK(result.pauses.at("--sleep") >= std::chrono::milliseconds{60});
  CHECK(result.pauses.at("--sleep") < std::chrono::seconds{10});
}
