#include <algorithm>
#include <set>

#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "contract/repair_scene.hpp"

using namespace taskctl;
using namespace taskctl::test;
using Catch::Matchers::Contains;

namespace {

/// A queue whose profile has every rule on.
const std::string k_depot_profile = R"TOML(
format  = 1
name    = "depot"
engines = ["sqlite", "postgres"]
safety  = "full"

[task]
table    = "tasks"
key      = ["id"]
status   = "state"
worker   = "node"
attempts = { used = "used", limit = "most" }
always_assigned = true

[task.time]
created  = "created_at"
started  = "started_at"
finished = "finished_at"

[encoding.utc]
format    = "text"
separator = " "
zone      = "UTC"

[times.tasks]
created_at  = "utc"
started_at  = "utc"
finished_at = "utc"
[times.nodes]
seen_at = "utc"
[times.claims]
since = "utc"
[times.results]
at = "utc"
[times.requests]
asked_at = "utc"

[[class]]
column    = "state"
queued    = ["queued"]
active    = ["running"]
succeeded = ["done"]
failed    = ["failed"]
cancelled = ["cancelled"]

[[liveness]]
source    = "table"
table     = "nodes"
key       = "name"
heartbeat = "seen_at"
timeout   = "2m"
missing   = "unknown"

[cancel_request]
table     = "requests"
match     = { task_id = "id" }
requested = "asked_at"

[[evidence]]
source   = "result"
table    = "results"
match    = { task_id = "id" }
value    = "says"
order_by = "n"
pick     = "oldest"
finished = "at"
patterns = [["ok", "succeeded"], ["broken", "failed"], ["stop", "cancelled"]]

[rules]
enable = ["missing-finished-time", "cancel-overwritten", "duplicate-result", "attempts-over-limit",
          "started-after-finished", "bulk-finished"]

[thresholds]
queued        = "1d"
bulk_finished = 3

[defaults]
contradiction    = "cancelled"
cancel-requested = "cancelled"
dead             = "failed"
never-assigned   = "failed"
overdue          = "failed"
waiting          = "cancelled"

[[outcome.succeeded.op]]
do  = "update"
set = { state = "'done'", finished_at = "coalesce(finished_at, :finished)" }
[[outcome.succeeded.op]]
do    = "delete"
table = "claims"
match = { task_id = "id" }

[[outcome.failed.op]]
do  = "update"
set = { state = "'failed'", finished_at = "coalesce(finished_at, :now)" }
[[outcome.failed.op]]
do    = "delete"
table = "claims"
match = { task_id = "id" }

[[outcome.cancelled.op]]
do  = "update"
set = { state = "'cancelled'", finished_at = "coalesce(finished_at, :now)" }
[[outcome.cancelled.op]]
do    = "delete"
table = "requests"
match = { task_id = "id" }

[[rule.missing-finished-time.op]]
do  = "update"
set = { finished_at = "started_at" }
[[rule.attempts-over-limit.op]]
do  = "update"
set = { state = "'failed'", finished_at = ":now" }
[[rule.started-after-finished.op]]
do  = "update"
set = { started_at = "finished_at" }
[[rule.cancel-overwritten.op]]
do  = "update"
set = { state = "'cancelled'", finished_at = ":finished" }
[[rule.cancel-overwritten.op]]
do    = "delete"
table = "results"
match = { task_id = "id" }
when  = "NOT :first_result"
[[rule.duplicate-result.op]]
do    = "delete"
table = "results"
match = { task_id = "id" }
when  = "NOT :first_result"

[[invariant]]
rule    = "claim-without-task"
table   = "claims"
since   = "since"
when    = "NOT EXISTS (SELECT 1 FROM tasks t WHERE t.id = r.task_id)"
message = "the claim is for no task"
[[invariant.op]]
do = "delete"

[[invariant]]
rule    = "active-without-claim"
table   = "tasks"
since   = "started_at"
when    = "r.state = 'running' AND NOT EXISTS (SELECT 1 FROM claims c WHERE c.task_id = r.id)"
message = "nobody has claimed it"
[[invariant.op]]
do  = "update"
set = { state = "'queued'", started_at = "NULL" }

[[invariant]]
rule    = "result-without-task"
table   = "results"
since   = "at"
when    = "NOT EXISTS (SELECT 1 FROM tasks t WHERE t.id = r.task_id)"
message = "the result is of no task"
[[invariant.op]]
do = "delete"

[[invariant]]
rule    = "worker-task-over"
table   = "nodes"
when    = "EXISTS (SELECT 1 FROM tasks t WHERE t.id = r.task_id AND t.state IN ('done', 'failed', 'cancelled'))"
message = "its task is over"
[[invariant.op]]
do  = "update"
set = { task_id = "NULL" }

[[invariant]]
rule    = "lock-of-ended-task"
table   = "locks"
when    = "EXISTS (SELECT 1 FROM tasks t WHERE t.id = r.task_id AND t.state IN ('done', 'failed', 'cancelled'))"
message = "the lock names a task that is over"
[[invariant.op]]
do = "delete"

[[invariant]]
rule    = "request-left-behind"
table   = "requests"
since   = "asked_at"
when    = "EXISTS (SELECT 1 FROM tasks t WHERE t.id = r.task_id AND t.state IN ('done', 'failed', 'cancelled'))"
message = "the request is for a task that is over"
[[invariant.op]]
do = "delete"

[[derived]]
table = "nodes"
match = { name = "worker" }
[derived.set]
busy = "(SELECT count(*) FROM {tasks} t WHERE t.state = 'running' AND t.node = r.name)"
)TOML";

/// Task 1 is over, 2 runs on the living node n1 and 3 waits; n2 is dead. Nothing is wrong.
const std::string k_depot_sql = R"SQL(
CREATE TABLE tasks (id integer PRIMARY KEY, state text, node text, created_at text, started_at text, finished_at text,
                    used integer DEFAULT 1, most integer DEFAULT 3);
CREATE TABLE nodes (name text PRIMARY KEY, seen_at text, task_id integer, busy integer);
CREATE TABLE claims (task_id integer PRIMARY KEY, since text);
CREATE TABLE results (n integer PRIMARY KEY, task_id integer, says text, at text);
CREATE TABLE requests (task_id integer PRIMARY KEY, asked_at text);
CREATE TABLE locks (name text PRIMARY KEY, task_id integer);
INSERT INTO tasks VALUES
  (1, 'done', 'n1', '2025-06-01 08:00:00', '2025-06-01 08:01:00', '2025-06-01 08:30:00', 1, 3),
  (2, 'running', 'n1', '2025-06-01 08:00:00', '2025-06-01 08:31:00', NULL, 1, 3),
  (3, 'queued', NULL, '2025-06-01 11:00:00', NULL, NULL, 0, 3);
INSERT INTO nodes VALUES ('n1', '2025-06-01 11:59:30', 2, 1), ('n2', '2025-06-01 08:00:00', NULL, 0);
INSERT INTO claims VALUES (2, '2025-06-01 08:31:00');
INSERT INTO results VALUES (1, 1, 'ok', '2025-06-01 08:30:00');
INSERT INTO locks VALUES ('of 2', 2);
)SQL";
const std::vector<std::string> k_depot_tables = {"tasks", "nodes", "claims", "results", "requests", "locks"};

/// "NULL" stays NULL; a clock time is one of that day.
std::string time_of(const std::string& text) {
  if (text == "NULL") {
    return text;
  }
  return text.size() == 8 ? "'2025-06-01 " + text + "'" : "'" + text + "'";
}

/// Task 10.
std::string task(const std::string& state, const std::string& node, const std::string& started,
                 const std::string& finished, const std::string& created = "08:00:00", int used = 1, int id = 10) {
  return "INSERT INTO tasks VALUES (" + std::to_string(id) + ", '" + state + "', " +
         (node.empty() ? "NULL" : "'" + node + "'") + ", " + time_of(created) + ", " + time_of(started) + ", " +
         time_of(finished) + ", " + std::to_string(used) + ", 3);";
}
std::string claim(int of_task, const std::string& since) {
  return "INSERT INTO claims VALUES (" + std::to_string(of_task) + ", " + time_of(since) + ");";
}
std::string result(int n, int of_task, const std::string& says, const std::string& at) {
  return "INSERT INTO results VALUES (" + std::to_string(n) + ", " + std::to_string(of_task) + ", '" + says + "', " +
         time_of(at) + ");";
}
std::string request(int of_task, const std::string& at) {
  return "INSERT INTO requests VALUES (" + std::to_string(of_task) + ", " + time_of(at) + ");";
}

struct RuleCase {
  Rule rule;
  std::string id;     ///< of the finding
  std::string fires;  ///< SQL that makes the rule fire
  std::string near;   ///< SQL that comes close to it and is healthy, or another rule's
  bool repaired = true;
};

std::vector<RuleCase> task_cases() {
  return {
      {Rule::contradiction, "10", task("running", "n1", "09:00:00", "10:00:00"),
       task("running", "n1", "09:00:00", "11:59:30")},
      {Rule::result_over, "10", task("running", "n1", "09:00:00", "NULL") + result(5, 10, "ok", "11:00:00"),
       task("running", "n1", "09:00:00", "NULL") + result(5, 10, "ok", "08:59:00")},
      {Rule::cancel_requested, "10", task("queued", "", "NULL", "NULL", "11:00:00") + request(10, "11:54:59"),
       task("queued", "", "NULL", "NULL", "11:00:00") + request(10, "11:55:00")},
      {Rule::missing_finished_time, "10", task("done", "n1", "09:00:00", "NULL"),
       task("done", "n1", "11:59:30", "NULL")},
      {Rule::cancel_overwritten, "10",
       task("failed", "n1", "09:00:00", "11:00:00") + result(5, 10, "stop", "10:00:00") +
           result(6, 10, "broken", "11:00:00"),
       task("failed", "n1", "09:00:00", "11:00:00") + result(5, 10, "broken", "10:00:00") +
           result(6, 10, "stop", "11:00:00")},
      {Rule::duplicate_result, "10",
       task("done", "n1", "09:00:00", "10:00:00") + result(5, 10, "ok", "10:00:00") + result(6, 10, "ok", "10:01:00"),
       task("done", "n1", "09:00:00", "10:00:00") + result(5, 10, "ok", "10:00:00")},
      {Rule::dead, "10", task("running", "n2", "11:58:59", "NULL"), task("running", "n1", "09:00:00", "NULL")},
      {Rule::never_assigned, "10", task("running", "", "11:58:59", "NULL"), task("running", "", "11:59:00", "NULL")},
      {Rule::overdue, "10", task("running", "n9", "11:00:00", "NULL"), task("running", "n9", "11:00:01", "NULL")},
      {Rule::waiting, "10", task("queued", "", "NULL", "NULL", "2025-05-31 12:00:00"),
       task("queued", "", "NULL", "NULL", "2025-05-31 12:00:01")},
      {Rule::clock, "10", task("running", "n9", "12:01:01", "NULL"), task("running", "n9", "12:01:00", "NULL"), false},
      {Rule::unreadable, "10", task("running", "n9", "soon", "NULL"), task("running", "n1", "soon", "NULL"), false},
      {Rule::attempts_over_limit, "10", task("queued", "", "NULL", "NULL", "11:00:00", 4),
       task("queued", "", "NULL", "NULL", "11:00:00", 3)},
      {Rule::started_after_finished, "10", task("done", "n1", "10:00:01", "10:00:00"),
       task("done", "n1", "10:00:00", "10:00:00")},
      {Rule::bulk_finished, "tasks:2025-06-01 10:00:00",
       task("done", "n1", "09:00:00", "10:00:00") + task("failed", "n1", "09:00:00", "10:00:00", "08:00:00", 1, 11) +
           task("done", "n2", "09:00:00", "10:00:00", "08:00:00", 1, 12),
       task("done", "n1", "09:00:00", "10:00:00") + task("failed", "n1", "09:00:00", "10:00:00", "08:00:00", 1, 11) +
           task("done", "n2", "09:00:00", "10:00:01", "08:00:00", 1, 12),
       false},
      {Rule::settling, "10", task("running", "n1", "09:00:00", "11:59:00"),
       task("running", "n1", "09:00:00", "11:58:59"), false},
  };
}

std::vector<RuleCase> row_cases() {
  return {
      {Rule::claim_without_task, "claims:99", claim(99, "11:58:59"), claim(99, "11:59:00")},
      {Rule::active_without_claim, "tasks:10", task("running", "n1", "09:00:00", "NULL"),
       task("running", "n1", "09:00:00", "NULL") + claim(10, "09:00:00")},
      {Rule::result_without_task, "results:9", result(9, 99, "ok", "11:58:59"), result(9, 99, "ok", "11:59:00")},
      {Rule::worker_task_over, "nodes:n2", "UPDATE nodes SET task_id = 1 WHERE name = 'n2'",
       "UPDATE nodes SET task_id = 2 WHERE name = 'n2'"},
      {Rule::lock_of_ended_task, "locks:x", "INSERT INTO locks VALUES ('x', 1)", "INSERT INTO locks VALUES ('x', 99)"},
      {Rule::request_left_behind, "requests:1", request(1, "11:58:59"), request(2, "11:58:59")},
      {Rule::accounts_wrong, "nodes:n2", "UPDATE nodes SET busy = 1 WHERE name = 'n2'",
       "UPDATE nodes SET busy = 2 WHERE name = 'n1';" + task("running", "n1", "09:00:00", "NULL")},
  };
}

std::vector<RuleCase> all_cases() {
  std::vector<RuleCase> cases = task_cases();
  std::ranges::move(row_cases(), std::back_inserter(cases));
  return cases;
}

RepairScene depot(Engine engine, const std::string& more) {
  return {temp_database(engine, k_depot_sql + more), parse_profile(k_depot_profile, "depot.toml"), k_queue_now};
}

std::set<std::string> ids_of(RepairScene& scene, Rule rule) {
  std::set<std::string> ids;
  const Listing listing = list_stuck(scene.store(), {.policy = scene.policy, .now = scene.now, .include_fine = true});
  listing.for_each([&](const ListItem& item) {
    if (!item.fine && (item.finding.rule == rule || std::ranges::count(item.finding.also, rule) > 0)) {
      ids.insert(id_of(item.finding));
    }
  });
  return ids;
}

std::vector<std::vector<Cells>> everything(RepairScene& scene) {
  std::vector<std::vector<Cells>> all;
  std::ranges::transform(k_depot_tables, std::back_inserter(all),
                         [&](const std::string& table) { return scene.rows(table); });
  return all;
}

/// What makes each rule fire and what does not, one after the other in one database, is tried on it.
template <typename Try>
void with_each_rule(const Try& attempt) {
  const Engine engine = GENERATE(from_range(test::engines()));
  for (const RuleCase& one : all_cases()) {
    INFO(to_string(engine) << ": " << to_string(one.rule));
    attempt(engine, one);
  }
}

}  // namespace

TEST_CASE("the cases of the rules name every rule once") {
  std::set<Rule> rules;
  const std::vector<RuleCase> cases = all_cases();
  for (const RuleCase& one : cases) {
    rules.insert(one.rule);
  }
  CHECK(cases.size() == k_rules.size());
  CHECK(rules == std::set<Rule>{k_rules.begin(), k_rules.end()});
}

TEST_CASE("nothing is wrong in a healthy queue under every rule") {
  RepairScene scene = depot(GENERATE(from_range(test::engines())), "");
  for (const Rule rule : k_rules) {
    INFO(to_string(rule));
    CHECK(ids_of(scene, rule).empty());
  }
  CHECK(scene.reconcile().empty());
}

TEST_CASE("every rule fires where it should and not where it nearly would") {
  with_each_rule([](Engine engine, const RuleCase& one) {
    RepairScene wrong = depot(engine, one.fires);
    CHECK(ids_of(wrong, one.rule) == std::set<std::string>{one.id});
    RepairScene right = depot(engine, one.near);
    CHECK(ids_of(right, one.rule).empty());
  });
}

TEST_CASE("every rule that repairs is repaired and undone byte for byte and no other is touched") {
  with_each_rule([](Engine engine, const RuleCase& one) {
    RepairScene scene = depot(engine, one.fires);
    scene.selector.rules = {one.rule};
    const auto before = everything(scene);
    const Plan plan = scene.reconcile();
    REQUIRE(plan.empty() != one.repaired);
    if (!one.repaired) {
      return;
    }
    CHECK(plan.unit(0).task == one.id);
    const ApplyResult result = scene.apply(plan);
    CHECK(result.run.applied == static_cast<std::int64_t>(plan.size()));
    CHECK(result.reports.empty());
    CHECK(everything(scene) != before);
    CHECK(ids_of(scene, one.rule).empty());
    CHECK(scene.reconcile().empty());
    const ApplyResult undone = scene.apply(scene.undo(result.run.id));
    CHECK(undone.run.conflicts + undone.run.failed == 0);
    CHECK(everything(scene) == before);
  });
}

TEST_CASE("what is only reported of a task stays so unless its profile can repair it") {
  const Engine engine = GENERATE(from_range(test::engines()));
  // Active, parked and ended tasks with too many attempts, and active ones that began after they ended, are for people.
  RepairScene scene =
      depot(engine, task("running", "n1", "09:00:00", "NULL", "08:00:00", 4) + claim(10, "09:00:00") +
                        task("failed", "n1", "09:00:00", "10:00:00", "08:00:00", 9, 11) +
                        task("running", "n1", "11:00:00", "10:00:00", "08:00:00", 1, 12) + claim(12, "11:00:00"));
  scene.selector.rules = {Rule::attempts_over_limit, Rule::started_after_finished};
  const Plan plan = scene.reconcile();
  CHECK(plan.empty());
  CHECK(ids_of(scene, Rule::attempts_over_limit) == std::set<std::string>{"10", "11"});
  CHECK(ids_of(scene, Rule::started_after_finished) == std::set<std::string>{"12"});
  CHECK(plan.left_out_counts.at(LeftOut::Why::reported_only) == 3);
}

TEST_CASE("tasks that ended together are said of each and listed once") {
  const Engine engine = GENERATE(from_range(test::engines()));
  const RuleCase one = task_cases().at(14);
  REQUIRE(one.rule == Rule::bulk_finished);
  RepairScene scene = depot(engine, one.fires);
  const auto why = [&](const std::string& id) {
    const auto report = inspect_task(scene.store(), TaskKey{{id}}, scene.policy, scene.now);
    const auto& verdicts = report.value().judgement.verdicts;
    const auto verdict = std::ranges::find(verdicts, Rule::bulk_finished, &RuleVerdict::rule);
    return (verdict->fired ? "fired: " : "quiet: ") + verdict->why;
  };
  CHECK(why("11") == "fired: 3 tasks have the same finished_at");
  CHECK(why("1") == "quiet: fewer than 3 tasks have its finished_at");
  CHECK(why("2") == "quiet: fewer than 3 tasks have its finished_at");
  scene.selector.ids = {one.id};
  CHECK(scene.reconcile().left_out.at(0).task == one.id);
  scene.selector.ids = {"11"};
  CHECK(scene.reconcile().left_out_counts.empty());
  scene.selector = {.workers = {"n1"}};
  CHECK(scene.reconcile().left_out_counts.empty());
}

TEST_CASE("a task that two rules would change in one run is changed once") {
  const Engine engine = GENERATE(from_range(test::engines()));
  RepairScene scene = depot(engine, task("running", "n2", "09:00:00", "NULL"));
  scene.selector.rules = {Rule::dead, Rule::active_without_claim};
  const Plan plan = scene.reconcile();
  REQUIRE(plan.size() == 2);  // the task as dead, and the same row as one without a claim
  const ApplyResult result = scene.apply(plan);
  CHECK(result.run.failed == 0);
  CHECK(scene.state_of("10") == "failed");
  CHECK(report_on(result, "tasks:10").result == UnitResult::conflict);
  const Plan again = replan(scene.store(), plan, {"tasks:10"});
  CHECK(again.empty());
}

TEST_CASE("the result that has become the first is not deleted") {
  const Engine engine = GENERATE(from_range(test::engines()));
  const Rule rule = GENERATE(Rule::duplicate_result, Rule::cancel_overwritten);
  const bool twice = rule == Rule::duplicate_result;
  const std::string says = twice ? "ok" : "stop";
  RepairScene scene =
      depot(engine, task(twice ? "done" : "failed", "n1", "09:00:00", "11:00:00") + result(5, 10, says, "10:00:00") +
                        result(6, 10, says, "10:00:00") + result(7, 10, says, "10:00:00"));
  scene.selector.rules = {rule};
  const Plan plan = scene.reconcile();
  REQUIRE(plan.size() == 1);
  scene.database().exec("DELETE FROM results WHERE n = 5");
  const ApplyResult result = scene.apply(plan);
  CHECK(report_on(result, "10").result == UnitResult::conflict);
  CHECK_THAT(report_on(result, "10").detail, Contains("the first row of 'results' is now n=6"));
  CHECK(scene.rows("results").size() == 3);
  CHECK(scene.apply(replan(scene.store(), plan, {"10"})).run.applied == 1);
  CHECK(scene.rows("results").size() == 2);
}

TEST_CASE("a row beside the task that changed since the plan leaves all rows of the task as they are") {
  const Engine engine = GENERATE(from_range(test::engines()));
  RepairScene scene = depot(
      engine, task("running", "n2", "09:00:00", "NULL") + claim(10, "09:00:00") +
                  task("running", "n2", "09:00:00", "NULL", "08:00:00", 1, 11) + claim(11, "09:00:00") +
                  task("done", "n1", "09:00:00", "10:00:00", "08:00:00", 1, 12) + result(5, 12, "ok", "10:00:00") +
                  result(6, 12, "ok", "10:01:00") + result(7, 12, "ok", "10:02:00"));
  scene.selector.rules = {Rule::dead, Rule::duplicate_result};
  const Plan plan = scene.reconcile();
  scene.database().exec(
      "UPDATE claims SET since = '2025-06-01 09:00:01' WHERE task_id = 10; DELETE FROM claims WHERE task_id = 11;"
      "UPDATE results SET says = 'broken' WHERE n = 7");
  const auto before = everything(scene);
  const ApplyResult result = scene.apply(plan);
  for (const std::string id : {"10", "11", "12"}) {
    INFO(id);
    CHECK(report_on(result, id).result == UnitResult::conflict);
  }
  CHECK(result.run.applied == 0);
  CHECK(everything(scene) == before);
}
