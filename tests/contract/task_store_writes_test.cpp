#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "contract/store_scene.hpp"

namespace taskctl {

namespace {

using test::column;
using test::StoreScene;
using test::text_in;
using Strings = std::vector<std::string>;

constexpr const char* k_now = "2025-11-07T20:00:00.123456+08:00";

/// Applies changes as an applier would, without its guards; returns rows affected.
std::int64_t apply(StoreScene& scene, std::vector<Change>& changes) {
  Transaction transaction{scene.connection(), Access::write};
  std::int64_t rows = 0;
  for (Change& change : changes) {
    rows += scene.store().write(change);
  }
  transaction.commit();
  return rows;
}

/// The row of a change as it is now.
std::optional<Image> row_of(StoreScene& scene, const Change& change) {
  return scene.store().read_rows(change.table, std::vector{change.key}, false).front();
}

/// A profile over table `work` whose `failed` outcome has these operations.
Profile work_profile(const std::string& operations, const std::string& extra = {}) {
  return parse_profile(R"(
format = 1
name = "work"
summary = "for tests"
engines = ["sqlite", "postgres"]
safety = "full"
[task]
table = "work"
key = ["id"]
status = "status"
worker = "worker"
[task.time]
started = "started"
finished = "finished"
[encoding.unix]
format = "unix-s"
[times.work]
started = "unix"
finished = "unix"
[[class]]
column = "status"
queued = ["queued"]
active = ["running"]
failed = ["failed"]
[defaults]
contradiction = "failed"
overdue = "failed"
)" + extra + operations,
                       "work.toml");
}

constexpr const char* k_work_tables =
    "CREATE TABLE work (id integer PRIMARY KEY, status varchar(20), worker text, started bigint, finished bigint, note "
    "varchar(10),"
    " code integer, share real);"
    "CREATE TABLE pieces (id integer PRIMARY KEY, work_id integer NOT NULL, state text, id_text text);"
    "CREATE TABLE log (line varchar(100) NOT NULL, work_id integer, at bigint);"
    "INSERT INTO work VALUES (1, 'running', 'w1', 100, NULL, NULL, NULL, NULL), (2, 'running', NULL, 200, 300, 'x', 5, "
    "0.5);"
    "INSERT INTO pieces VALUES (10, 1, 'open', '1'), (11, 1, 'open', '1'), (12, 2, 'open', '2'), (13, 1, 'closed', "
    "'1');";

}  // namespace

TEST_CASE("an update holds the whole row before and after") {
  StoreScene scene = StoreScene::of_fixture("task-queue", Engine::sqlite, "task_queue.sqlite.sql");
  std::vector<Change> changes = scene.changes(Outcome::failed, "task_0048", "stuck", "2025-12-19T16:54:56.789+08:00");
  REQUIRE(changes.size() == 1);
  Change& change = changes.front();
  CHECK(change.operation == Operation::update);
  CHECK(change.key == RowKey{{"id"}, {std::int64_t{48}}});
  CHECK(change.written == Strings{"status", "error_message", "completed_at", "updated_at"});
  CHECK(text_in(change.before, "status") == "running");
  CHECK(change.before->values.size() == 14);
  CHECK(text_in(change.after, "status") == "failed");
  CHECK(text_in(change.after, "error_message") == "stuck");
  // Both columns are written as the database's CURRENT_TIMESTAMP writes them: UTC, cut to seconds.
  CHECK(text_in(change.after, "completed_at") == "2025-12-19 08:54:56");
  CHECK(text_in(change.after, "updated_at") == "2025-12-19 08:54:56");
  CHECK(text_in(change.after, "started_at") == "2025-12-16T22:06:55.999679");
  CHECK(apply(scene, changes) == 1);
  CHECK(row_of(scene, change) == change.after);
  CHECK(scene.db().value("SELECT count(*) FROM task_queue WHERE status = 'failed'") == "7");
}

TEST_CASE("a task's related rows change with it and no others") {
  StoreScene scene = StoreScene::of_fixture("workspace-tasks", Engine::postgres, "workspace_tasks.postgres.sql");
  std::vector<Change> changes = scene.changes(Outcome::failed, "576", "worker is dead", k_now);
  REQUIRE(changes.size() == 2);
  CHECK(changes[0].table.display() == "public.workspace_tasks");
  CHECK(text_in(changes[0].after, "completed_at") == "2025-11-07 20:00:00.123456");
  CHECK(changes[1].table.display() == "public.workspaces");
  CHECK(text_in(changes[1].before, "workspace_id") == "ws-lock");
  CHECK(changes[1].written == Strings{"is_locked", "locked_by", "locked_at", "lock_reason"});
  CHECK(text_in(changes[1].after, "is_locked") == "false");
  CHECK(is_null(*column(changes[1].after, "locked_by")));
  CHECK(apply(scene, changes) == 2);
  CHECK(row_of(scene, changes[0]) == changes[0].after);
  CHECK(row_of(scene, changes[1]) == changes[1].after);
  CHECK(scene.db().value("SELECT string_agg(workspace_id, ',' ORDER BY id) FROM workspaces WHERE is_locked") ==
        "ws-apply,ws-idle");
  // Its workspace holds no lock of this task.
  CHECK(scene.changes(Outcome::failed, "581", "", k_now).size() == 1);
}

TEST_CASE("a finished time that is there stays and is not written") {
  StoreScene scene = StoreScene::of_fixture("workspace-tasks", Engine::postgres, "workspace_tasks.postgres.sql");
  const std::vector<Change> changes = scene.changes(Outcome::cancelled, "572", "cancelled by user", k_now);
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].written == Strings{"status", "error_message", "updated_at"});
  CHECK(text_in(changes[0].after, "completed_at") == "2025-11-07 17:28:47.687091");
}

TEST_CASE("a delete is part of an outcome") {
  StoreScene scene = StoreScene::of_fixture("jobs", Engine::sqlite, "jobs.sqlite.sql");
  std::vector<Change> changes =
      scene.changes(Outcome::cancelled, "job_mctkc3aa_33334444", "Client disconnected", "2025-07-18T12:00:00Z");
  REQUIRE(changes.size() == 2);
  CHECK(*column(changes[0].after, "completed_at") == Value{std::int64_t{1752840000000}});
  CHECK(changes[1].operation == Operation::remove);
  CHECK(changes[1].table.name == "pending_cancellations");
  CHECK_FALSE(changes[1].after);
  const Change removed = changes[1];
  CHECK(apply(scene, changes) == 2);
  CHECK(scene.db().value("SELECT count(*) FROM pending_cancellations") == "2");
  CHECK_FALSE(row_of(scene, removed));

  // Taking it back is an insert of the row as it was.
  std::vector<Change> back{
      {.operation = Operation::insert, .table = removed.table, .key = removed.key, .after = removed.before}};
  CHECK(apply(scene, back) == 1);
  CHECK(row_of(scene, removed) == removed.before);
}

TEST_CASE("operations that would change nothing are left out") {
  const Engine engine = GENERATE(from_range(test::engines()));
  StoreScene scene{engine, k_work_tables, work_profile(R"(
[[outcome.failed.op]]
do = "update"
set = { note = "'x'" }
)")};
  CHECK(scene.changes(Outcome::failed, "1", "", k_now).size() == 1);
  CHECK(scene.changes(Outcome::failed, "2", "", k_now).empty());
  CHECK(scene.changes(Outcome::failed, "3", "", k_now).empty());
  CHECK(scene.changes(Outcome::failed, "01", "", k_now).empty());
  CHECK(scene.changes(Outcome::failed, "abc", "", k_now).empty());
}

TEST_CASE("planned values are what the columns will hold") {
  const Engine engine = GENERATE(from_range(test::engines()));
  StoreScene scene{engine, k_work_tables, work_profile(R"(
[[outcome.failed.op]]
do = "update"
set = { status = "'failed'", finished = ":now", note = ":reason", code = "'42'", worker = "17", share = "2" }
)")};
  std::vector<Change> changes = scene.changes(Outcome::failed, "1", "too long by far", k_now);
  REQUIRE(changes.size() == 1);
  CHECK(apply(scene, changes) == 1);
  CHECK(row_of(scene, changes[0]) == changes[0].after);
  // SQLite does not enforce lengths; in PostgreSQL a reason is cut to fit.
  CHECK(text_in(changes[0].after, "note") == (engine == Engine::sqlite ? "too long by far" : "too long b"));
  CHECK(text_in(changes[0].after, "finished") == "1762516800");
  CHECK(text_in(changes[0].after, "code") == "42");
  CHECK(text_in(changes[0].after, "worker") == "17");
  if (engine == Engine::sqlite) {
    CHECK(*column(changes[0].after, "code") == Value{std::int64_t{42}});
    CHECK(*column(changes[0].after, "worker") == Value{std::string{"17"}});
    CHECK(*column(changes[0].after, "share") == Value{2.0});
  }
}

TEST_CASE("a value other than the reason is never cut") {
  StoreScene scene{Engine::postgres, k_work_tables, work_profile(R"(
[[outcome.failed.op]]
do = "update"
set = { note = "'twelve chars'" }
)")};
  std::vector<Change> changes = scene.changes(Outcome::failed, "1", "", k_now);
  REQUIRE(changes.size() == 1);
  CHECK(text_in(changes[0].after, "note") == "twelve chars");
  CHECK_THROWS_AS(apply(scene, changes), Error);
}

TEST_CASE("bare columns belong to the operation's table and placeholders to the task") {
  const Engine engine = GENERATE(from_range(test::engines()));
  StoreScene scene{engine, k_work_tables, work_profile(R"(
[[outcome.failed.op]]
do = "update"
table = "pieces"
match = { work_id = "id" }
when = "state = 'open' AND :task.status = 'running'"
set = { state = "'lost by ' || coalesce(:worker, '?') || ': ' || :reason" }
)")};
  const std::vector<EvaluationInput> tasks{{{{"2"}}, "second"}, {{{"1"}}, "first"}, {{{"9"}}, "none"}};
  const auto changes =
      scene.store().evaluate(scene.profile().outcomes.at(Outcome::failed), tasks, parse_instant(k_now, "now"));
  REQUIRE(changes.size() == 3);
  REQUIRE(changes[0].size() == 1);
  CHECK(changes[0][0].key.display() == "id=12");
  CHECK(text_in(changes[0][0].after, "state") == "lost by ?: second");
  REQUIRE(changes[1].size() == 2);
  CHECK(text_in(changes[1][0].after, "state") == "lost by w1: first");
  CHECK(changes[2].empty());
}

TEST_CASE("a match of columns of different types compares their text") {
  const Engine engine = GENERATE(from_range(test::engines()));
  StoreScene scene{engine, k_work_tables, work_profile(R"(
[[outcome.failed.op]]
do = "delete"
table = "pieces"
match = { id_text = "id" }
)")};
  CHECK(scene.changes(Outcome::failed, "1", "", k_now).size() == 3);
}

TEST_CASE("two operations on one row become one change") {
  const Engine engine = GENERATE(from_range(test::engines()));
  StoreScene scene{engine, k_work_tables, work_profile(R"(
[[outcome.failed.op]]
do = "update"
set = { status = "'failed'", note = "'a'" }
[[outcome.failed.op]]
do = "update"
set = { note = "'b'" }
)")};
  std::vector<Change> changes = scene.changes(Outcome::failed, "1", "", k_now);
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].written == Strings{"status", "note"});
  CHECK(text_in(changes[0].after, "note") == "b");
  CHECK(apply(scene, changes) == 1);
  CHECK(row_of(scene, changes[0]) == changes[0].after);
}

TEST_CASE("related rows that nothing can name are refused") {
  const Engine engine = GENERATE(from_range(test::engines()));
  StoreScene scene{engine, k_work_tables, work_profile(R"(
[[outcome.failed.op]]
do = "delete"
table = "log"
match = { work_id = "id" }
)")};
  CHECK_THROWS_WITH(scene.changes(Outcome::failed, "1", "", k_now),
                    Catch::Contains("'") && Catch::Contains("log") && Catch::Contains("primary key"));
}

TEST_CASE("an insert gets its key from the database and can be taken back") {
  const Engine engine = GENERATE(from_range(test::engines()));
  StoreScene scene{
      engine,
      std::string{k_work_tables} +
          (engine == Engine::sqlite
               ? "CREATE TABLE events (id INTEGER PRIMARY KEY, work_id integer, what text, kind text DEFAULT 'end',"
                 " double_id integer GENERATED ALWAYS AS (work_id * 2) VIRTUAL)"
               : "CREATE TABLE events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, work_id integer, what text,"
                 " kind text DEFAULT 'end', double_id integer GENERATED ALWAYS AS (work_id * 2) STORED)"),
      work_profile(R"(
[[outcome.failed.op]]
do = "insert"
table = "events"
set = { work_id = ":task.id", what = ":reason || ' of ' || :worker" }
)")};
  std::vector<Change> changes = scene.changes(Outcome::failed, "1", "end", k_now);
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].operation == Operation::insert);
  CHECK_FALSE(changes[0].before);
  CHECK(changes[0].key.columns.empty());
  CHECK(changes[0].written == Strings{"work_id", "what"});
  CHECK(apply(scene, changes) == 1);
  CHECK(changes[0].key.display() == "id=1");
  const std::optional<Image> whole = row_of(scene, changes[0]);
  CHECK(text_in(whole, "what") == "end of w1");
  CHECK(text_in(whole, "kind") == "end");
  CHECK(text_in(whole, "double_id") == "2");

  std::vector<Change> removal{
      {.operation = Operation::remove, .table = changes[0].table, .key = changes[0].key, .before = whole}};
  CHECK(apply(scene, removal) == 1);
  CHECK(apply(scene, removal) == 0);
  // The same row again, with the key that the database would otherwise choose itself.
  std::vector<Change> again{
      {.operation = Operation::insert, .table = changes[0].table, .key = changes[0].key, .after = whole}};
  CHECK(apply(scene, again) == 1);
  CHECK(row_of(scene, again[0]) == whole);
}

TEST_CASE("rows come back in the order asked for") {
  const Engine engine = GENERATE(from_range(test::engines()));
  StoreScene scene{
      engine,
      "CREATE TABLE work (a integer, b text, id integer, status text, worker text, started bigint, finished bigint,"
      " PRIMARY KEY (a, b)); CREATE UNIQUE INDEX one ON work (id);"
      "INSERT INTO work VALUES (1, 'x', 7, 'running', NULL, 1, NULL), (1, 'y', 8, 'running', NULL, 1, NULL)",
      work_profile("[[outcome.failed.op]]\ndo = \"update\"\nset = { status = \"'failed'\" }\n")};
  const auto key = [&](std::int64_t a, const std::string& b) {
    return RowKey{{"a", "b"}, {engine == Engine::sqlite ? Value{a} : Value{std::to_string(a)}, b}};
  };
  const TableName table = scene.schema().find("work")->name;
  const std::vector<RowKey> keys{key(1, "y"), key(2, "x"), key(1, "x"), key(1, "y")};
  const auto rows = scene.store().read_rows(table, keys, false);
  REQUIRE(rows.size() == 4);
  CHECK(text_in(rows[0], "id") == "8");
  CHECK_FALSE(rows[1]);
  CHECK(text_in(rows[2], "id") == "7");
  CHECK(rows[3] == rows[0]);
  CHECK(scene.store().read_rows(table, {}, false).empty());
  // The profile's key is `id`; rows are named by the primary key.
  CHECK(scene.changes(Outcome::failed, "8", "", k_now).at(0).key == key(1, "y"));
  CHECK_THROWS_AS(scene.store().read_rows({"", "nosuch"}, keys, false), Error);
}

TEST_CASE("rows that somebody else holds are missing when locks are taken") {
  StoreScene scene{Engine::postgres, k_work_tables,
                   work_profile("[[outcome.failed.op]]\ndo = \"update\"\nset = { status = \"'failed'\" }\n")};
  scene.db().exec("BEGIN; SELECT 1 FROM work WHERE id = 1 FOR UPDATE");
  const std::vector<RowKey> keys{{{"id"}, {std::string{"1"}}}, {{"id"}, {std::string{"2"}}}};
  const Transaction transaction{scene.connection(), Access::write};
  const TableName table = scene.schema().find("work")->name;
  const auto locked = scene.store().read_rows(table, keys, true);
  CHECK_FALSE(locked[0]);
  CHECK(locked[1]);
  CHECK(scene.store().read_rows(table, keys, false)[0]);
  std::size_t facts = 0;
  scene.store().read_facts(
      {.rows = FactsRequest::Rows::by_key, .keys = {{{"1"}}, {{"2"}}}, .with_image = true, .lock = true},
      [&](TaskFacts&& found) {
        ++facts;
        CHECK(text_in(found.image, "id") == "2");
      });
  CHECK(facts == 1);
}

TEST_CASE("a row that breaks a constraint is told apart") {
  const Engine engine = GENERATE(from_range(test::engines()));
  StoreScene scene{
      engine, std::string{k_work_tables} + "CREATE UNIQUE INDEX one_failed ON work (note) WHERE status = 'failed'",
      work_profile("[[outcome.failed.op]]\ndo = \"update\"\nset = { status = \"'failed'\", note = \"'x'\" }\n")};
  std::vector<Change> first = scene.changes(Outcome::failed, "1", "", k_now);
  std::vector<Change> second = scene.changes(Outcome::failed, "2", "", k_now);
  Transaction transaction{scene.connection(), Access::write};
  CHECK(scene.store().write(first.at(0)) == 1);
  scene.connection().savepoint();
  CHECK_THROWS_AS(scene.store().write(second.at(0)), ConstraintError);
  scene.connection().rollback_to_savepoint();
  transaction.commit();
  CHECK(scene.db().value("SELECT count(*) FROM work WHERE status = 'failed'") == "1");
}

TEST_CASE("operations find their rows through keys and not by scanning") {
  const Engine engine = GENERATE(from_range(test::engines()));
  StoreScene scene{
      engine, std::string{k_work_tables} + "CREATE INDEX by_work ON pieces (work_id)",
      work_profile("[[outcome.failed.op]]\ndo = \"update\"\nset = { note = \":reason\" }\n"
                   "[[outcome.failed.op]]\ndo = \"delete\"\ntable = \"pieces\"\nmatch = { work_id = \"id\" }\n")};
  const std::vector<EvaluationInput> tasks{{{{"1"}}, "a"}, {{{"2"}}, "b"}};
  for (const OperationSpec& operation : scene.profile().outcomes.at(Outcome::failed)) {
    std::string sql = render_evaluation(scene.profile(), scene.schema(), Dialect{engine}, operation, tasks,
                                        parse_instant(k_now, "now"))
                          .statement.sql;
    std::string plan;
    if (engine == Engine::postgres) {
      scene.db().exec("SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan; PREPARE evaluation AS " +
                      sql);
      sql = "EXECUTE evaluation ('1', 'a', '2', 'b')";
    }
    for (const test::Cells& row :
         scene.db().query((engine == Engine::sqlite ? "EXPLAIN QUERY PLAN " : "EXPLAIN ") + sql)) {
      plan += row.back().value_or("") + "\n";
    }
    if (engine == Engine::postgres) {
      scene.db().exec("DEALLOCATE evaluation");
    }
    INFO(plan);
    CHECK(plan.find("SCAN r") == std::string::npos);
    CHECK(plan.find("SCAN t") == std::string::npos);
    CHECK(plan.find("Seq Scan") == std::string::npos);
    CHECK(plan.find(engine == Engine::sqlite ? "SEARCH r USING" : "Index") != std::string::npos);
  }
}

TEST_CASE("every type of a column survives a delete and its undo") {
  const Engine engine = GENERATE(from_range(test::engines()));
  const std::string columns = engine == Engine::sqlite ? "id integer PRIMARY KEY, status text, worker text, started "
                                                         "bigint, finished bigint, a blob, b real, c numeric, d, e text"
                                                       : "id integer PRIMARY KEY, status text, worker text, started "
                                                         "bigint, finished bigint, a bytea, b double precision,"
                                                         " c numeric(10,2), d jsonb, e text[], f timestamptz, g inet, "
                                                         "h boolean, i interval, j json, k char(5), l varchar(3)";
  const std::string values =
      engine == Engine::sqlite
          ? "1, 'running', CAST(x'ff00' AS TEXT), 1, NULL, x'00ff', 1e300, '12.50', 7, char(0)"
          : "1, 'running', 'it''s', 1, NULL, '\\x00ff', 0.1, 12.5, '{\"b\": 1, \"a\": null}', ARRAY['x','NULL',NULL],"
            " '2025-01-01 00:00:00.000001+08', '10.0.0.1/8', true, '1 day 2 hours', '{\"z\" :1}', 'ab', 'abc'";
  StoreScene scene{engine, "CREATE TABLE work (" + columns + "); INSERT INTO work VALUES (" + values + ")",
                   work_profile("[[outcome.failed.op]]\ndo = \"delete\"\ntable = \"work\"\nmatch = { id = \"id\" }\n")};
  std::vector<Change> changes = scene.changes(Outcome::failed, "1", "", k_now);
  REQUIRE(changes.size() == 1);
  CHECK(apply(scene, changes) == 1);
  std::vector<Change> back{
      {.operation = Operation::insert, .table = changes[0].table, .key = changes[0].key, .after = changes[0].before}};
  CHECK(apply(scene, back) == 1);
  CHECK(row_of(scene, changes[0]) == changes[0].before);
}

}  // namespace taskctl
