#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "contract/store_scene.hpp"

namespace taskctl {

namespace {

using test::StoreScene;
using Strings = std::vector<std::string>;

StoreScene task_queue() {
  return StoreScene::of_fixture("task-queue", Engine::sqlite, "task_queue.sqlite.sql");
}
StoreScene jobs() {
  return StoreScene::of_fixture("jobs", Engine::sqlite, "jobs.sqlite.sql");
}
StoreScene workspace_tasks() {
  return StoreScene::of_fixture("workspace-tasks", Engine::postgres, "workspace_tasks.postgres.sql");
}
StoreScene cluster() {
  return StoreScene::of_fixture("cluster", Engine::postgres, "cluster.postgres.sql");
}

std::string time_text(const TimeFact& fact) {
  return fact.known() ? format_instant(fact.at) : fact.raw;
}

}  // namespace

TEST_CASE("candidates of task queue are its running tasks") {
  StoreScene scene = task_queue();
  CHECK(scene.ids({}) == Strings{"task_0048", "task_0049", "task_0050", "task_0051", "task_0052", "task_0053",
                                 "task_0054", "task_0055"});
  const Task task = scene.fact("task_0049").task;
  CHECK(task.status == "running");
  CHECK(task.task_class == TaskClass::active);
  CHECK(task.kind == "publish");
  CHECK(task.worker == std::nullopt);
  CHECK(task.error == std::nullopt);
  CHECK(task.attempts_used == 1);
  CHECK(task.attempts_limit == 3);
  // The application's local time and the database's UTC stand in one row.
  CHECK(time_text(task.times.started) == "2025-12-16T14:12:55.998679Z");
  CHECK(time_text(task.times.updated) == "2025-12-16T14:12:55Z");
  CHECK(task.times.finished.absent());
}

TEST_CASE("candidates of workspace tasks have a sign of being wrong") {
  StoreScene scene = workspace_tasks();
  CHECK(scene.ids({}) == Strings{"572", "573", "574", "575", "576", "577", "578", "579", "581", "582", "583"});
  CHECK(scene.fact("574").task.task_class == TaskClass::parked);
  CHECK(scene.fact("574").class_rule == 0);
  CHECK(scene.fact("572").class_rule == 1);
  CHECK(scene.fact("575").hazards == std::vector<bool>{true});
  CHECK(scene.fact("576").hazards == std::vector<bool>{false});
  CHECK(time_text(scene.fact("572").task.times.finished) == "2025-11-07T09:28:47.687091Z");
  CHECK(time_text(scene.fact("581").task.times.lease) == "2025-11-07T11:00:00Z");
}

TEST_CASE("worker rows are found by the task's worker") {
  StoreScene scene = workspace_tasks();
  const TaskFacts known = scene.fact("576");
  REQUIRE(known.liveness.size() == 2);
  CHECK_FALSE(known.liveness[0].row_found);  // the lease source has no row
  CHECK(known.liveness[1].row_found);
  CHECK(time_text(known.liveness[1].heartbeat) == "2025-11-07T09:00:00Z");
  const TaskFacts unknown = scene.fact("581");
  CHECK_FALSE(unknown.liveness[1].row_found);
  CHECK(unknown.liveness[1].heartbeat.absent());
  const std::vector<WorkerCensus> census =
      scene.store().read_workers(parse_instant("2025-11-07T20:00:00+08:00", "now"));
  REQUIRE(census.size() == 2);
  CHECK(census[0].known == 0);
  CHECK(census[1].known == 2);
  CHECK(census[1].alive == 1);
  CHECK(scene.store().read_workers(parse_instant("2025-11-07T20:05:00+08:00", "now"))[1].suspect());
}

TEST_CASE("a worker comes from the newest row of a joined table") {
  StoreScene scene = cluster();
  CHECK(scene.ids({}) == Strings{"task-1763290004", "task-1763290005", "task-1763290006", "task-1763290009"});
  CHECK(scene.fact("task-1763290006").task.worker == "worker-2");
  CHECK(scene.fact("task-1763290009").task.worker == std::nullopt);
  CHECK(time_text(scene.fact("task-1763290006").liveness[0].heartbeat) == "2025-11-16T08:20:00Z");
  scene.db().exec(
      "INSERT INTO assignments VALUES ('a2', 'task-1763290006', 'worker-3', '2025-11-16 08:00:00+00'),"
      " ('a3', 'task-1763290006', 'worker-1', NULL)");
  CHECK(scene.fact("task-1763290006").task.worker == "worker-3");
}

TEST_CASE("cancel requests make queued tasks candidates") {
  StoreScene scene = jobs();
  CHECK(scene.ids({}) ==
        Strings{"job_mctkbw0n_ff38d214", "job_mctkc2zz_11112222", "job_mctkc3aa_33334444", "job_mctkc4bb_55556666"});
  const CancelRequestFact request = scene.fact("job_mctkc3aa_33334444").cancel_request;
  CHECK(request.present);
  CHECK(request.reason == "Client disconnected");
  CHECK(time_text(request.requested) == "2025-07-18T11:49:10Z");
  CHECK_FALSE(scene.fact("job_mctkc2zz_11112222").cancel_request.present);
}

TEST_CASE("every queued task is a candidate on request") {
  StoreScene scene = workspace_tasks();
  const Strings ids = scene.ids({.all_queued = true});
  CHECK(std::ranges::find(ids, "584") != ids.end());
  CHECK(std::ranges::find(ids, "580") == ids.end());
}

TEST_CASE("filters match exactly and combine") {
  StoreScene scene = workspace_tasks();
  const auto selected = [&](Selector selector) {
    return scene.ids({.rows = FactsRequest::Rows::open, .selector = std::move(selector)});
  };
  CHECK(selected({.statuses = {"apply_pending"}}).size() == 1);
  CHECK(selected({.statuses = {"cancelled", "success"}}).empty());  // open: what is over is not selected
  CHECK(selected({.statuses = {"Cancelled", "cancel%", ""}}).empty());
  CHECK(selected({.ids = {"572", "576", "580"}, .kinds = {"plan_and_apply"}, .statuses = {"running", "pending"}}) ==
        Strings{"572", "576"});
  CHECK(selected({.workers = {"agent-pool-z73eh8ihywlmgx0x-1762507433188454002"}}) == Strings{"581"});
  CHECK(selected({.workers = {"x' OR '1'='1", std::string{"a\0b", 3}, "\xff"}}).empty());
  CHECK(selected({}).size() == 12);
  CHECK(scene.ids({.selector = {.kinds = {"plan"}}}) == Strings{"573", "577", "578", "579", "581", "582", "583"});
  CHECK_THROWS_AS(selected({.queues = {"default"}}), Error);
}

TEST_CASE("ids are opaque text") {
  const Engine engine = GENERATE(from_range(test::engines()));
  const std::string long_id(10000, 'x');
  const Strings odd = {"it's", "100%", "[1,2]", "line\nbreak", "\"quoted\"", "задача", "10", "010", " 10", long_id};
  Profile profile = find_profile("jobs");
  StoreScene scene{
      engine,
      "CREATE TABLE jobs (id varchar(10000) PRIMARY KEY, status text, error text, created_at bigint, started_at bigint,"
      " completed_at bigint); CREATE TABLE pending_cancellations (job_id text PRIMARY KEY, reason text, requested_at"
      " bigint);",
      profile};
  for (const std::string& id : odd) {
    std::string quoted;
    for (const char c : id) {
      quoted.append(c == '\'' ? 2 : 1, c);
    }
    scene.db().exec("INSERT INTO jobs (id, status) VALUES ('" + quoted + "', 'running')");
  }
  for (const std::string& id : odd) {
    INFO(id.substr(0, 20));
    CHECK(scene.ids_by_key({id}) == Strings{id});
  }
  CHECK(scene.ids_by_key({"1", "x", long_id + "y", "", "10 ", std::string{"10\0", 3}, "10\xff"}).empty());
  CHECK(scene.ids_by_key({"10", "10", "010"}) == Strings{"010", "10"});
}

TEST_CASE("numbers match only as they print") {
  const Engine engine = GENERATE(from_range(test::engines()));
  StoreScene scene{
      engine,
      "CREATE TABLE jobs (id integer PRIMARY KEY, status text, error text, created_at bigint, started_at bigint,"
      " completed_at bigint); CREATE TABLE pending_cancellations (job_id integer PRIMARY KEY, reason text, requested_at"
      " bigint); INSERT INTO jobs (id, status) VALUES (10, 'running'), (-3, 'running');",
      find_profile("jobs")};
  CHECK(scene.ids_by_key({"10", "-3"}) == Strings{"-3", "10"});
  CHECK(
      scene.ids_by_key({"010", "+10", "10.0", "1e1", " 10", "abc", "", "99999999999", "99999999999999999999"}).empty());
  CHECK(scene.ids({.rows = FactsRequest::Rows::open, .selector = {.ids = {"010"}}}).empty());
}

TEST_CASE("more keys than one statement takes") {
  const Engine engine = GENERATE(from_range(test::engines()));
  StoreScene scene{
      engine,
      "CREATE TABLE jobs (id integer PRIMARY KEY, status text, error text, created_at bigint, started_at bigint,"
      " completed_at bigint); CREATE TABLE pending_cancellations (job_id integer PRIMARY KEY, reason text, requested_at"
      " bigint);",
      find_profile("jobs")};
  std::string rows;
  Strings ids;
  for (int i = 1; i <= 1203; ++i) {
    rows += (i == 1 ? "(" : ", (") + std::to_string(i) + ", 'running')";
    ids.push_back(std::to_string(i));
  }
  scene.db().exec("INSERT INTO jobs (id, status) VALUES " + rows);
  CHECK(scene.ids_by_key(ids).size() == 1203);
  CHECK(scene.ids({.rows = FactsRequest::Rows::open, .selector = {.ids = ids}}).size() == 1203);
}

TEST_CASE("times that a server prints oddly are read or reported") {
  StoreScene scene = cluster();
  scene.db().exec(
      "UPDATE tasks SET started_at = '0001-01-01 00:00:00+00', completed_at = '9999-12-31 23:59:59.999999+00'"
      " WHERE task_id = 'task-1763290004';"
      "UPDATE tasks SET started_at = '0044-03-15 00:00:00+00 BC', created_at = '294276-12-31 00:00:00+00',"
      " completed_at = 'infinity' WHERE task_id = 'task-1763290005';"
      "UPDATE tasks SET started_at = '1969-12-31 23:59:59.5+00', created_at = NULL WHERE task_id = 'task-1763290006'");
  const TaskTimes edges = scene.fact("task-1763290004").task.times;
  CHECK(time_text(edges.started) == "0001-01-01T00:00:00Z");
  CHECK(time_text(edges.finished) == "9999-12-31T23:59:59.999999Z");
  const TaskTimes beyond = scene.fact("task-1763290005").task.times;
  CHECK(beyond.started.unreadable());
  CHECK(beyond.started.raw == "0044-03-15 00:00:00+00 BC");
  CHECK(beyond.created.unreadable());
  CHECK(beyond.finished.unreadable());
  CHECK(beyond.finished.raw == "infinity");
  const TaskTimes before_1970 = scene.fact("task-1763290006").task.times;
  CHECK(time_text(before_1970.started) == "1969-12-31T23:59:59.500000Z");
  CHECK(before_1970.created.absent());
}

TEST_CASE("status counts give every native status its class") {
  StoreScene scene = workspace_tasks();
  scene.db().exec(
      "INSERT INTO workspace_tasks (workspace_id, task_type, status, execution_mode) VALUES ('w', 'plan', 'odd', "
      "'k8s'),"
      " ('w', 'plan', NULL, 'k8s')");
  std::map<std::string, std::int64_t> counts;
  for (const StatusCount& count : scene.store().status_counts()) {
    counts[count.status.value_or("NULL") + "/" + std::string{count.task_class ? to_string(*count.task_class) : "-"}] +=
        count.count;
  }
  CHECK(counts == std::map<std::string, std::int64_t>{{"apply_pending/parked", 1},
                                                      {"cancelled/cancelled", 1},
                                                      {"odd/-", 1},
                                                      {"NULL/-", 1},
                                                      {"pending/queued", 2},
                                                      {"running/active", 8},
                                                      {"running/parked", 1},
                                                      {"success/succeeded", 12}});
  StoreScene queue = task_queue();
  const std::vector<StatusCount> plain = queue.store().status_counts();
  REQUIRE(plain.size() == 3);
  CHECK(plain[1].status == "running");
  CHECK(plain[1].task_class == TaskClass::active);
  CHECK(plain[1].count == 8);
}

TEST_CASE("candidates are found through an index on the status") {
  StoreScene queue = task_queue();
  const FactsStatement sqlite = render_facts(queue.profile(), queue.schema(), Dialect{Engine::sqlite}, {});
  std::string plan;
  for (const test::Cells& row : queue.db().query("EXPLAIN QUERY PLAN " + sqlite.statement.sql)) {
    plan += row.back().value_or("") + "\n";
  }
  INFO(plan);
  CHECK(plan.find("USING INDEX idx_task_status") != std::string::npos);
  CHECK(plan.find("SCAN t") == std::string::npos);

  StoreScene workspaces = workspace_tasks();
  const FactsStatement postgres =
      render_facts(workspaces.profile(), workspaces.schema(), Dialect{Engine::postgres}, {});
  workspaces.db().exec("SET enable_seqscan = off");
  std::string lines;
  for (const test::Cells& row : workspaces.db().query("EXPLAIN " + postgres.statement.sql)) {
    lines += row.back().value_or("") + "\n";
  }
  INFO(lines);
  CHECK(lines.find("idx_workspace_tasks_status") != std::string::npos);
  CHECK(lines.find("Seq Scan on workspace_tasks") == std::string::npos);
}

}  // namespace taskctl
