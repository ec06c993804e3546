#include "engine/planner.hpp"

#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "contract/repair_scene.hpp"

using namespace taskctl;
using namespace taskctl::test;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;

namespace {

const Change& only_change(const Plan& plan, std::size_t index, const std::string& table) {
  static PlanUnit unit;
  unit = plan.unit(index);
  const Change* found = nullptr;
  for (const Change& change : unit.changes) {
    if (change.table.name == table) {
      REQUIRE(found == nullptr);
      found = &change;
    }
  }
  REQUIRE(found != nullptr);
  return *found;
}

std::string column(const std::optional<Image>& image, const std::string& name) {
  return to_display(*image->find(name));
}

}  // namespace

TEST_CASE("reconcile plans every change of a task in the order of its operations") {
  const auto engine = GENERATE(from_range(test::engines()));
  auto scene = queue_scene(engine, 2);
  const Plan plan = scene.reconcile();
  CHECK_FALSE(scene.connection().in_transaction());
  REQUIRE(plan.size() == 2);
  CHECK(plan.change_count() == 8);
  const PlanUnit unit = plan.unit(0);
  std::vector<std::string> order;
  for (const Change& change : unit.changes) {
    order.push_back(std::string{to_string(change.operation)} + " " + change.table.name);
  }
  CHECK(order == std::vector<std::string>{"update tasks", "delete claims", "insert events", "update owners"});
  const Change task = only_change(plan, 0, "tasks");
  CHECK(column(task.before, "state") == "running");
  CHECK(column(task.after, "state") == "failed");
  CHECK(column(task.after, "finished_at") == "2025-06-01 12:00:00");
  CHECK(column(task.after, "note") == unit.reason);
  CHECK(task.written == std::vector<std::string>{"state", "finished_at", "note"});
  CHECK(unit.finding->rule == Rule::overdue);
  CHECK(plan.status_before == std::map<std::string, std::int64_t>{{"running", 2}});
  CHECK(plan.nonce != scene.reconcile().nonce);
  CHECK(plan.identity == scene.connection().server().identity);
}

TEST_CASE("the longest stuck come first and the limit leaves the rest") {
  const auto engine = GENERATE(from_range(test::engines()));
  auto scene = queue_scene(engine, 4,
                           "UPDATE tasks SET started_at = '2025-06-01 08:00:00' WHERE id = 3;"
                           "UPDATE tasks SET started_at = '2025-06-01 07:00:00' WHERE id = 4;"
                           "UPDATE tasks SET started_at = '2025-06-01 09:00:00' WHERE id = 1;");
  CHECK(tasks_of(scene.reconcile()) == std::vector<std::string>{"4", "3", "1", "2"});
  const Plan plan = scene.reconcile(2);
  CHECK(tasks_of(plan) == std::vector<std::string>{"4", "3"});
  CHECK(plan.remaining == 2);
  CHECK(left_of(plan) ==
        std::map<std::string, LeftOut::Why>{{"1", LeftOut::Why::over_limit}, {"2", LeftOut::Why::over_limit}});
}

TEST_CASE("what reconcile leaves alone stands in the plan with its reason") {
  const auto engine = GENERATE(from_range(test::engines()));
  auto scene = queue_scene(engine, 5,
                           "UPDATE tasks SET risky = 1 WHERE id = 1;"
                           "UPDATE tasks SET started_at = '2025-06-02 12:00:00' WHERE id = 2;"
                           "UPDATE tasks SET started_at = 'gestern' WHERE id = 3;"
                           "UPDATE tasks SET finished_at = '2025-06-01 11:00:00' WHERE id = 4;");
  scene.policy.max_age_given = false;
  const Plan plan = scene.reconcile();
  CHECK(tasks_of(plan) == std::vector<std::string>{"4"});
  CHECK(only_change(plan, 0, "tasks").written == std::vector<std::string>{"state", "note"});
  CHECK(left_of(plan) == std::map<std::string, LeftOut::Why>{{"1", LeftOut::Why::hazard},
                                                             {"2", LeftOut::Why::reported_only},
                                                             {"3", LeftOut::Why::reported_only},
                                                             {"5", LeftOut::Why::needs_max_age}});
  for (const LeftOut& left : plan.left_out) {
    if (left.task == "1") {
      CHECK_THAT(left.detail, Contains("risky (it would hurt)"));
    }
  }
}

TEST_CASE("an outcome without operations is not repairable") {
  const auto engine = GENERATE(from_range(test::engines()));
  auto scene = queue_scene(engine, 1);
  scene.policy.outcome = Outcome::succeeded;
  const Plan plan = scene.reconcile();
  CHECK(plan.empty());
  CHECK(left_of(plan) == std::map<std::string, LeftOut::Why>{{"1", LeftOut::Why::not_repairable}});
  CHECK_THAT(plan.left_out[0].detail, Contains("'succeeded'"));
}

TEST_CASE("cancel tells apart what may be ended and why not") {
  const auto engine = GENERATE(from_range(test::engines()));
  const std::string more =
      "UPDATE tasks SET state = 'queued', started_at = NULL WHERE id = 1;"
      "UPDATE tasks SET state = 'done' WHERE id = 3;"
      "UPDATE tasks SET risky = 1 WHERE id = 4;"
      "UPDATE tasks SET started_at = '2025-06-01 11:58:00' WHERE id = 5;"
      "UPDATE tasks SET state = 'mystery' WHERE id = 6;";
  auto scene = queue_scene(engine, 6, more);
  const std::vector<std::string> ids = {"6", "1", "2", "3", "4", "5", "1", "77"};

  const Plan gentle = scene.cancel(ids, false);
  CHECK(tasks_of(gentle) == std::vector<std::string>{"1"});
  CHECK(column(only_change(gentle, 0, "tasks").after, "state") == "cancelled");
  CHECK(gentle.unit(0).finding->outcome == Outcome::cancelled);
  CHECK(left_of(gentle) == std::map<std::string, LeftOut::Why>{{"2", LeftOut::Why::needs_force},
                                                               {"3", LeftOut::Why::already_over},
                                                               {"4", LeftOut::Why::needs_force},
                                                               {"5", LeftOut::Why::needs_force},
                                                               {"6", LeftOut::Why::not_repairable},
                                                               {"77", LeftOut::Why::unknown}});

  const Plan forced = scene.cancel(ids, true);
  CHECK(tasks_of(forced) == std::vector<std::string>{"1", "2"});
  CHECK(forced.force);
  const PlanUnit two = forced.unit(1);
  CHECK(two.reason == "Force cancelled by user");
  CHECK(column(two.changes.at(0).after, "state") == "failed");
  CHECK(left_of(forced).at("4") == LeftOut::Why::hazard);
  CHECK(left_of(forced).at("5") == LeftOut::Why::hazard);

  scene.policy.accepted_hazards = {"young", "risky"};
  CHECK(tasks_of(scene.cancel(ids, true)) == std::vector<std::string>{"1", "2", "4", "5"});
  scene.policy.outcome = Outcome::cancelled;
  CHECK(column(only_change(scene.cancel({"2"}, true), 0, "tasks").after, "state") == "cancelled");
}

TEST_CASE("cancel with the task queue profile ends running tasks as failed") {
  RepairScene scene{temp_sqlite(fixture("task_queue.sqlite.sql")), find_profile("task-queue"),
                    "2025-12-19T16:54:56+08:00"};
  const Plan plan = scene.cancel({"task_0050"}, true);
  REQUIRE(plan.size() == 1);
  const Change task = only_change(plan, 0, "task_queue");
  CHECK(column(task.after, "status") == "failed");
  CHECK(column(task.after, "error_message") == "Force cancelled by user");
  CHECK(column(task.after, "completed_at") == "2025-12-19 08:54:56");
  CHECK(scene.cancel({"task_0050"}, false).empty());
}

TEST_CASE("replanning keeps to the request and names what is no longer wrong") {
  const auto engine = GENERATE(from_range(test::engines()));
  auto scene = queue_scene(engine, 3);
  scene.selector.statuses = {"running"};
  const Plan plan = scene.reconcile();
  REQUIRE(plan.size() == 3);
  scene.database().exec("UPDATE tasks SET state = 'done' WHERE id = 2; UPDATE tasks SET extra = 'x' WHERE id = 3");
  const Plan again = replan(scene.store(), plan, {"2", "3"});
  CHECK(tasks_of(again) == std::vector<std::string>{"3"});
  CHECK(column(only_change(again, 0, "tasks").before, "extra") == "x");
  CHECK(left_of(again) == std::map<std::string, LeftOut::Why>{{"2", LeftOut::Why::nothing_to_do}});
  CHECK(again.nonce != plan.nonce);
  CHECK(again.selector.statuses == std::vector<std::string>{"running"});

  const Plan cancel = scene.cancel({"1", "3"}, true);
  const Plan cancel_again = replan(scene.store(), cancel, {"1", "2"});
  CHECK(tasks_of(cancel_again) == std::vector<std::string>{"1"});
  CHECK(left_of(cancel_again).at("2") == LeftOut::Why::already_over);
}

TEST_CASE("planning writes nothing and works on a connection that only reads") {
  const auto engine = GENERATE(from_range(test::engines()));
  const auto database = temp_database(engine, queue_sql(engine, 3));
  const auto connection = database->open(Access::read);
  const Profile profile = parse_profile(k_queue_profile, "queue.toml");
  const Schema schema = read_schema(*connection, profile);
  TaskStore store{*connection, profile, schema};
  ReconcileRequest request{.selector = {},
                           .policy = profile.policy,
                           .now = parse_instant(k_queue_now, "now"),
                           .reason = "mine",
                           .limit = {}};
  request.policy.max_age_given = true;
  const Plan plan = plan_reconcile(store, request);
  CHECK(plan.size() == 3);
  CHECK(plan.unit(0).reason == "mine");
  Journal journal{*connection};
  CHECK_THROWS_WITH(plan_undo(store, journal, {.run = "x", .tasks = {}}), Contains("no run 'x'"));
}

TEST_CASE("a cancel by filters selects what is not over and keeps to its filters when it is planned again") {
  const Engine engine = GENERATE(from_range(test::engines()));
  RepairScene scene = queue_scene(
      engine, 5,
      "UPDATE tasks SET state = 'queued' WHERE id IN (1, 2, 3); UPDATE tasks SET state = 'done' WHERE id = 4;"
      "UPDATE tasks SET started_at = '2025-06-01 11:30:00' WHERE id = 3;");
  scene.policy.max_age = std::chrono::hours{1};
  CancelRequest request{.force = true, .policy = scene.policy, .now = scene.now};
  request.selector = Selector{.statuses = {"queued", "done"}};
  const Plan plan = plan_cancel(scene.store(), request);
  CHECK(plan.is_selected);
  CHECK(plan.size() == 2);
  CHECK(plan.left_out.empty());  // 3 is too young and 4 is over: neither was selected
  // 1 is claimed meanwhile: it would be a running task to end by force, and nobody selected running tasks.
  scene.database().exec("UPDATE tasks SET state = 'running' WHERE id = 1");
  const ApplyResult result = scene.apply(plan);
  CHECK(result.run.applied == 1);
  CHECK(report_on(result, "1").result == UnitResult::conflict);
  const Plan again = replan(scene.store(), plan, {"1"});
  CHECK(again.size() == 0);
  REQUIRE(again.left_out.size() == 1);
  CHECK(again.left_out.front().detail == "is over, or no longer selected");
  CHECK(scene.state_of("1") == "running");
  CHECK(scene.state_of("2") == "cancelled");
  CHECK(scene.state_of("3") == "queued");
}

TEST_CASE("a cancel that requeues ends a task whose attempts are spent as failed") {
  const Engine engine = GENERATE(from_range(test::engines()));
  std::string text = k_queue_profile;
  const std::string key = "key    = [\"id\"]\n";
  REQUIRE(text.find(key) != std::string::npos);
  text.replace(text.find(key), key.size(), key + "attempts = { used = \"tries\", limit = \"most\" }\n");
  text += "[[outcome.requeued.op]]\ndo = \"update\"\nset = { state = \"'queued'\", tries = \"tries + 1\" }\n";
  const std::string tries =
      "ALTER TABLE tasks ADD COLUMN tries integer; ALTER TABLE tasks ADD COLUMN most integer;"
      "UPDATE tasks SET tries = id, most = 3;";
  RepairScene scene{temp_database(engine, queue_sql(engine, 3) + tries), parse_profile(text, "queue.toml"),
                    k_queue_now};
  scene.policy.outcome = Outcome::requeued;
  CHECK(scene.apply(scene.cancel({"1", "2", "3"}, true)).run.applied == 3);
  CHECK(scene.state_of("1") == "queued");
  CHECK(scene.state_of("2") == "failed");  // it would be queued with 3 of 3
  CHECK(scene.state_of("3") == "failed");
}

TEST_CASE("a cancel that neither names nor selects is refused") {
  RepairScene scene = queue_scene(Engine::sqlite, 1);
  scene.policy.max_age_given = false;
  CancelRequest request{.force = true, .policy = scene.policy, .now = scene.now};
  request.selector = Selector{};
  CHECK_THROWS_AS(plan_cancel(scene.store(), request), Error);
  request.selector.reset();
  CHECK(plan_cancel(scene.store(), request).empty());
}

TEST_CASE("tasks of unknown age are not old") {
  const Engine engine = GENERATE(from_range(test::engines()));
  RepairScene scene = queue_scene(engine, 2, "UPDATE tasks SET started_at = NULL WHERE id = 1;");
  CancelRequest request{.force = true, .policy = scene.policy, .now = scene.now};
  request.selector = Selector{};
  const Plan plan = plan_cancel(scene.store(), request);
  CHECK(plan.size() == 1);
  REQUIRE(plan.left_out.size() == 1);
  CHECK(plan.left_out.front().task == "1");
  CHECK(plan.left_out.front().why == LeftOut::Why::unknown_age);
}
