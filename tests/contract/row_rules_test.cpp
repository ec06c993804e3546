#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "contract/repair_scene.hpp"

using namespace taskctl;
using namespace taskctl::test;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

/// The queue of the tests with requests beside the tasks, whose table has a key of two columns, and with nodes whose
/// account is what their running tasks cost.
const std::string k_row_profile = R"TOML(
format  = 1
name    = "queue"
summary = "queue of the tests"
engines = ["sqlite", "postgres"]
safety  = "full"

[task]
table  = "tasks"
key    = ["id"]
status = "state"
worker = "node"

[task.time]
started  = "started_at"
finished = "finished_at"

[encoding.utc]
format    = "text"
separator = " "
fraction  = 0
zone      = "UTC"

[times.tasks]
started_at  = "utc"
finished_at = "utc"

[times.requests]
asked_at = "utc"

[[class]]
column    = "state"
queued    = ["queued"]
active    = ["running"]
failed    = ["failed"]
cancelled = ["cancelled"]

[defaults]
contradiction = "cancelled"
overdue       = "failed"
cancel        = "cancelled"
force-cancel  = "failed"

[[outcome.failed.op]]
do  = "update"
set = { state = "'failed'", finished_at = "coalesce(finished_at, :now)" }

[[outcome.cancelled.op]]
do  = "update"
set = { state = "'cancelled'" }

[[invariant]]
rule    = "request-left-behind"
table   = "requests"
since   = "asked_at"
when    = "EXISTS (SELECT 1 FROM tasks t WHERE t.id = r.task_id AND t.state IN ('failed', 'cancelled'))"
message = "the request is for a task that is over"

[[invariant.op]]
do = "delete"

[[invariant]]
rule    = "worker-task-over"
table   = "nodes"
when    = "EXISTS (SELECT 1 FROM tasks t WHERE t.id = r.task_id AND t.state IN ('failed', 'cancelled'))"
message = "the node's task is over"

[[invariant.op]]
do  = "update"
set = { task_id = "NULL", note = ":reason" }

[[derived]]
table = "nodes"
match = { name = "worker" }
sums  = "(SELECT t.taskctl_worker AS name, sum(t.cost) AS cost FROM {tasks} t WHERE t.state = 'running' GROUP BY t.taskctl_worker)"

[derived.set]
used = "coalesce(s.cost, 0)"
free = "r.size - (SELECT coalesce(sum(t.cost), 0) FROM {tasks} t WHERE t.state = 'running' AND t.node = r.name)"
)TOML";

/// Tasks 1 and 2 (cost 3 and 4) have run on node a for two hours, 3 (cost 5) on b; 4 is over. All accounts are right.
const std::string k_row_sql =
    "CREATE TABLE tasks (id integer PRIMARY KEY, state text, started_at text, finished_at text, node text, cost "
    "integer);"
    "CREATE TABLE requests (task_id integer NOT NULL, kind text NOT NULL, asked_at text, PRIMARY KEY (task_id, kind));"
    "CREATE TABLE nodes (name text PRIMARY KEY, size integer, used integer, free integer, task_id integer, note text);"
    "INSERT INTO tasks VALUES (1, 'running', '2025-06-01 10:00:00', NULL, 'a', 3), (2, 'running', '2025-06-01 "
    "10:00:01', NULL, 'a', 4), (3, 'running', '2025-06-01 11:59:00', NULL, 'b', 5), (4, 'failed', '2025-06-01 "
    "09:00:00', '2025-06-01 09:30:00', 'b', 6);"
    "INSERT INTO nodes VALUES ('a', 10, 7, 3, NULL, NULL), ('b', 10, 5, 5, 3, NULL), ('it''s \"c\"', 10, 0, 10, NULL, "
    "NULL);";

RepairScene row_scene(Engine engine, const std::string& more = {}) {
  return {temp_database(engine, k_row_sql + more), parse_profile(k_row_profile, "queue.toml"), k_queue_now};
}

const std::string k_left_behind = "INSERT INTO requests VALUES (4, 'it''s', '2025-06-01 09:10:00');";
const std::string k_left_id = R"(requests:["4","it's"])";

std::vector<Finding> findings_of(RepairScene& scene) {
  std::vector<Finding> found;
  const Listing listing =
      list_stuck(scene.store(), {.selector = scene.selector, .policy = scene.policy, .now = scene.now});
  listing.for_each([&found](const ListItem& item) { found.push_back(item.finding); });
  return found;
}

std::vector<std::vector<Cells>> rows_of_row_scene(RepairScene& scene) {
  return {scene.rows("tasks"), scene.rows("requests"), scene.rows("nodes")};
}

std::string node(RepairScene& scene, const std::string& name) {
  return scene.database().value("SELECT used || '/' || free FROM nodes WHERE name = '" + name + "'").value_or("NULL");
}

}  // namespace

TEST_CASE("a row beside the tasks is a finding with its table and key") {
  auto scene = row_scene(GENERATE(from_range(test::engines())), k_left_behind);
  scene.selector.rules = {Rule::request_left_behind};
  const std::vector<Finding> found = findings_of(scene);
  REQUIRE(found.size() == 1);
  CHECK(id_of(found[0]) == k_left_id);
  CHECK(found[0].table == "requests");
  CHECK(found[0].certainty == Certainty::certain);
  CHECK(found[0].outcome == Outcome::removed);
  CHECK(found[0].evidence.at(0).text == "the request is for a task that is over");
  CHECK(format_instant(*found[0].since) == "2025-06-01T09:10:00Z");
}

TEST_CASE("an invariant leaves alone what is right or may be on its way") {
  auto scene = row_scene(GENERATE(from_range(test::engines())),
                         "INSERT INTO requests VALUES (1, 'running', '2025-06-01 09:10:00'), (4, 'fresh', '2025-06-01 "
                         "11:59:30'), (4, 'unreadable', 'soon'), (4, 'unknown', NULL), (4, 'future', '2025-06-02 "
                         "09:10:00');");
  scene.selector.rules = {Rule::request_left_behind, Rule::worker_task_over};
  CHECK(findings_of(scene).empty());
}

TEST_CASE("filters choose rows by id and rule and none by what only tasks have") {
  auto scene = row_scene(GENERATE(from_range(test::engines())),
                         k_left_behind + "INSERT INTO requests VALUES (4, 'other', '2025-06-01 09:10:00');");
  scene.selector.ids = {k_left_id};
  CHECK(tasks_of(scene.reconcile()) == std::vector<std::string>{k_left_id});
  scene.selector.ids = {"1"};
  CHECK(tasks_of(scene.reconcile()) == std::vector<std::string>{"1", "nodes:a"});
  scene.selector.ids = {};
  scene.selector.workers = {"nobody"};
  CHECK(scene.reconcile().empty());
}

TEST_CASE("rows and accounts are repaired with the tasks and come back byte for byte") {
  auto scene = row_scene(GENERATE(from_range(test::engines())),
                         k_left_behind + "UPDATE nodes SET task_id = 4, used = -1 WHERE name LIKE 'it%';");
  const auto before = rows_of_row_scene(scene);
  const Plan plan = scene.reconcile();
  const std::string odd = "nodes:it's \"c\"";
  // The last row is wrong by two rules: its account is changed on top of its task.
  CHECK(tasks_of(plan) == std::vector<std::string>{"1", "2", k_left_id, odd, "nodes:a", odd});
  CHECK(plan.unit(4).depends_on == std::vector<std::size_t>{0, 1});
  CHECK(plan.unit(5).depends_on.empty());
  const ApplyResult result = scene.apply(plan);
  CHECK(result.run.applied == 6);
  CHECK(scene.rows("requests").empty());
  CHECK(node(scene, "a") == "0/10");
  CHECK(node(scene, "b") == "5/5");
  CHECK(node(scene, "it''s \"c\"") == "0/10");
  CHECK(scene.database().value("SELECT note FROM nodes WHERE name LIKE 'it%'") ==
        "the node's task is over (worker-task-over)");
  CHECK(scene.reconcile().empty());
  CHECK(scene.entries(result.run.id).at(2).rule == "request-left-behind");
  CHECK(scene.apply(scene.undo(result.run.id)).run.applied > 0);
  CHECK(rows_of_row_scene(scene) == before);
}

TEST_CASE("a row that somebody changed since the plan is a conflict or has moved on") {
  auto scene = row_scene(GENERATE(from_range(test::engines())), k_left_behind + "UPDATE nodes SET task_id = 4;");
  scene.selector.rules = {Rule::request_left_behind, Rule::worker_task_over};
  const Plan plan = scene.reconcile();
  REQUIRE(plan.size() == 4);
  scene.database().exec(
      "DELETE FROM requests; UPDATE nodes SET task_id = 3 WHERE name = 'a';"
      "UPDATE nodes SET size = 11 WHERE name = 'b'");
  const ApplyResult result = scene.apply(plan);
  CHECK(report_on(result, k_left_id).result == UnitResult::moved_on);
  CHECK(report_on(result, "nodes:a").result == UnitResult::moved_on);
  CHECK(report_on(result, "nodes:b").result == UnitResult::conflict);
  CHECK_THAT(report_on(result, "nodes:b").detail, Contains("column 'size' is '11' instead of '10'"));
  CHECK(result.run.applied == 1);
  const Plan again = replan(scene.store(), plan, {"nodes:b"});
  CHECK(tasks_of(again) == std::vector<std::string>{"nodes:b"});
  CHECK(scene.apply(again).run.applied == 1);
}

TEST_CASE("an account is worked out again from the tasks as they are when it is written") {
  auto scene = row_scene(GENERATE(from_range(test::engines())));
  const Plan plan = scene.reconcile();
  REQUIRE(tasks_of(plan) == std::vector<std::string>{"1", "2", "nodes:a"});
  scene.database().exec("INSERT INTO tasks VALUES (9, 'running', '2025-06-01 11:59:50', NULL, 'a', 2)");
  const ApplyResult result = scene.apply(plan);
  CHECK(result.run.applied == 2);
  CHECK(report_on(result, "nodes:a").result == UnitResult::conflict);
  CHECK_THAT(report_on(result, "nodes:a").detail, Contains("add up to something else now"));
  CHECK(node(scene, "a") == "7/3");
  CHECK(scene.apply(replan(scene.store(), plan, {"nodes:a"})).run.applied == 1);
  CHECK(node(scene, "a") == "2/8");
}

TEST_CASE("an account that its application changed is a conflict and is right after one more plan") {
  auto scene = row_scene(GENERATE(from_range(test::engines())));
  const bool cancel = GENERATE(false, true);
  const Plan plan = cancel ? scene.cancel({"1", "2"}, true) : scene.reconcile();
  REQUIRE(tasks_of(plan) == std::vector<std::string>{"1", "2", "nodes:a"});
  scene.database().exec("UPDATE nodes SET used = 8, free = 2 WHERE name = 'a'");
  const ApplyResult result = scene.apply(plan);
  CHECK(result.run.applied == 2);
  CHECK(report_on(result, "nodes:a").result == UnitResult::conflict);
  CHECK(scene.apply(replan(scene.store(), plan, {"nodes:a"})).run.applied == 1);
  CHECK(node(scene, "a") == "0/10");
}

TEST_CASE("an account waits when one of its tasks was not changed") {
  auto scene = row_scene(GENERATE(from_range(test::engines())));
  const Plan plan = scene.reconcile();
  scene.database().exec("UPDATE tasks SET state = 'cancelled' WHERE id = 2");
  const ApplyResult result = scene.apply(plan);
  CHECK(report_on(result, "2").result == UnitResult::moved_on);
  CHECK(report_on(result, "nodes:a").result == UnitResult::waiting);
  CHECK(node(scene, "a") == "7/3");
  CHECK(tasks_of(scene.reconcile()) == std::vector<std::string>{"nodes:a"});
  CHECK(scene.apply(scene.reconcile()).run.applied == 1);
  CHECK(node(scene, "a") == "0/10");
}

TEST_CASE("a limit that leaves tasks out leaves their part of the account") {
  auto scene = row_scene(GENERATE(from_range(test::engines())));
  const Plan plan = scene.reconcile(1);
  CHECK(tasks_of(plan) == std::vector<std::string>{"1", "nodes:a"});
  scene.apply(plan);
  CHECK(node(scene, "a") == "4/6");
}

TEST_CASE("accounts of many tasks are planned in pieces that add up") {
  const auto engine = GENERATE(from_range(test::engines()));
  std::string more = "UPDATE nodes SET size = 1000, used = 457, free = 543 WHERE name = 'a';";
  for (int id = 100; id < 550; ++id) {
    more += "INSERT INTO tasks VALUES (" + std::to_string(id) + ", 'running', '2025-06-01 09:00:00', NULL, 'a', 1);";
  }
  auto scene = row_scene(engine, more);
  const Plan plan = scene.reconcile();
  CHECK(plan.size() == 455);  // 452 tasks, and the account three times
  const ApplyResult result = scene.apply(plan);
  CHECK(result.run.applied == 455);
  CHECK(result.reports.empty());
  CHECK(node(scene, "a") == "0/1000");
  CHECK(scene.apply(scene.undo(result.run.id)).run.failed == 0);
  CHECK(node(scene, "a") == "457/543");
}

TEST_CASE("an account that is right is no finding") {
  auto scene = row_scene(GENERATE(from_range(test::engines())));
  scene.selector.rules = {Rule::accounts_wrong};
  CHECK(findings_of(scene).empty());
  CHECK(scene.reconcile().empty());
  scene.database().exec("UPDATE nodes SET used = -1 WHERE name = 'b'");
  const std::vector<Finding> found = findings_of(scene);
  REQUIRE(found.size() == 1);
  CHECK(found[0].evidence.at(0).text == "used is -1 and should be 5");
}

TEST_CASE("a workspace lock is the lock of the task that it names and of no other") {
  RepairScene scene{temp_postgres(fixture("workspace_tasks.postgres.sql")), find_profile("workspace-tasks"),
                    "2025-11-07T12:00:00Z"};
  scene.database().exec(
      "INSERT INTO workspace_tasks (id, workspace_id, task_type, status, stage, execution_mode, started_at, "
      "completed_at,"
      " created_at, updated_at) SELECT 57, 'ws-plan', 'apply', 'success', stage, execution_mode, started_at, "
      "completed_at,"
      " created_at, updated_at FROM workspace_tasks WHERE id = 560;"
      "UPDATE workspaces SET is_locked = true, locked_at = '2025-11-07 10:00:00', lock_reason = CASE workspace_id WHEN "
      "'ws-plan' THEN 'Locked for apply (task #57)' ELSE 'Locked for apply (task #572)' END WHERE workspace_id IN "
      "('ws-plan', 'ws-mb7m9ii5ey')");
  scene.selector.rules = {Rule::lock_of_ended_task};
  const Plan plan = scene.reconcile();
  CHECK(tasks_of(plan) == std::vector<std::string>{"workspaces:ws-plan"});
  CHECK(scene.apply(plan).run.applied == 1);
  CHECK(scene.database().value("SELECT string_agg(workspace_id, ' ' ORDER BY workspace_id) FROM workspaces WHERE "
                               "is_locked") == "ws-apply ws-idle ws-lock ws-mb7m9ii5ey");
}

TEST_CASE("what does not fit in a row rule is refused with its place in the profile") {
  const auto [part, instead, place, problem] = GENERATE(table<const char*, const char*, const char*, const char*>(
      {{" GROUP BY t.taskctl_worker)", " GROUP BY t.taskctl_worker, t.id)", "derived",
        "several rows answer to 'a' of table 'nodes'"},
       {"t.id = r.task_id", "t.id = r.nonsuch", "queue.toml:52:", "nonsuch"}}));
  std::string text = k_row_profile;
  text.replace(text.find(part), std::string{part}.size(), instead);
  RepairScene scene{temp_database(GENERATE(from_range(test::engines())), k_row_sql), parse_profile(text, "queue.toml"),
                    k_queue_now};
  try {
    findings_of(scene);
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::mismatch);
    CHECK_THAT(error.message(), StartsWith("queue.toml:") && Contains(place) && Contains(problem));
  }
}
