#include <catch2/catch.hpp>

#include "contract/repair_scene.hpp"

using namespace taskctl;
using namespace taskctl::test;

namespace {

/// Tables and columns with quotes, blanks and letters beyond ASCII, as every part of a profile names them.
const std::string k_odd_profile = R"TOML(
format  = 1
name    = "odd"
engines = ["sqlite", "postgres"]
safety  = "full"

[task]
table  = "job's \"list\""
key    = ["id no"]
status = "st ate"
worker = 'wörk"er'
kind   = "%"

[task.time]
started  = "be gan"
finished = "en'ded"

[encoding.s]
format = "unix-s"

[times."job's \"list\""]
"be gan" = "s"
"en'ded" = "s"
[times.'wörk "ers"']
'"seen"' = "s"

[[class]]
column    = "st ate"
queued    = ["it's queued"]
active    = ['"läuft"']
succeeded = ["done"]
failed    = ["fail'd"]

[[liveness]]
source    = "table"
table     = 'wörk "ers"'
key       = "na'me"
heartbeat = '"seen"'
timeout   = "2m"
missing   = "unknown"

[[evidence]]
source   = "log"
table    = "lo;gs"
match    = { "job--no" = "id no" }
text     = "li\\ne"
order_by = "n o"
patterns = [["it's 100% \"done\"_", "succeeded"]]

[defaults]
overdue = "failed"
dead    = "failed"
contradiction = "failed"

[[outcome.failed.op]]
do  = "update"
set = { "st ate" = "'fail''d'", "en'ded" = ":now" }
[[outcome.failed.op]]
do    = "update"
table = "lo cks"
match = { "w s" = "w s" }
when  = "\"be cause\" = 'Locked (task #' || :task.\"id no\" || ') by ' || :worker"
set   = { "be cause" = "''" }
[[outcome.succeeded.op]]
do  = "update"
set = { "st ate" = "'done'", "en'ded" = ":now" }

[[invariant]]
rule    = "lock-of-ended-task"
table   = "lo cks"
when    = "EXISTS (SELECT 1 FROM \"job's \"\"list\"\"\" t WHERE r.\"be cause\" = 'Locked (task #' || t.\"id no\" || ') by ' || t.\"wörk\"\"er\" AND t.\"st ate\" = 'done')"
message = "it's of a task that is \"over\""
[[invariant.op]]
do  = "update"
set = { "be cause" = "''" }

[[derived]]
table = 'wörk "ers"'
match = { "na'me" = "worker" }
[derived.set]
"us ed" = "(SELECT count(*) FROM {tasks} t WHERE t.\"st ate\" = '\"läuft\"' AND t.taskctl_worker = r.\"na'me\")"
)TOML";

/// Five tasks that look alike to LIKE, each with a worker of its own and a lock, all in one place.
const std::string k_odd_sql = R"SQL(
CREATE TABLE "job's ""list""" ("id no" text PRIMARY KEY, "st ate" text, "wörk""er" text, "%" text, "be gan" integer,
                               "en'ded" integer, "w s" text);
CREATE TABLE "lo cks" ("lock's" text PRIMARY KEY, "w s" text, "be cause" text);
CREATE TABLE "wörk ""ers""" ("na'me" text PRIMARY KEY, """seen""" integer, "us ed" integer);
CREATE TABLE "lo;gs" ("n o" integer PRIMARY KEY, "job--no" text, "li\ne" text);
INSERT INTO "job's ""list""" VALUES
  ('57_', '"läuft"', 'w_1', 'k', 1748772000, NULL, 'one'), ('572', '"läuft"', 'wx1', 'k', 1748772000, NULL, 'one'),
  ('57%', '"läuft"', 'w%', 'k', 1748772000, NULL, 'one'), ('O''Brien "☃"', '"läuft"', 'it''s "w" ☃', 'k', 1748772000, NULL,
  'one'), ('57', '"läuft"', '\', 'k', 1748772000, NULL, 'one');
INSERT INTO "lo cks" SELECT "id no", 'one', 'Locked (task #' || "id no" || ') by ' || "wörk""er" FROM "job's ""list""";
INSERT INTO "wörk ""ers""" SELECT "wörk""er", 1748700000, 1 FROM "job's ""list""";
INSERT INTO "wörk ""ers""" VALUES ('alive', 1748779190, 0);
)SQL";

const std::vector<std::string> k_ids = {"57_", "572", "57%", R"(O'Brien "☃")", "57"};

RepairScene odd_scene(Engine engine, const std::string& more = {}) {
  return {temp_database(engine, k_odd_sql + more), parse_profile(k_odd_profile, "odd.toml"), k_queue_now};
}

std::vector<std::vector<Cells>> rows_of_odd(RepairScene& scene) {
  return {scene.rows(R"("job's ""list""")"), scene.rows(R"("lo cks")"), scene.rows(R"("wörk ""ers""")"),
          scene.rows(R"("lo;gs")")};
}

}  // namespace

TEST_CASE("a task with an odd name gives up its own lock and account and nobody else's") {
  const Engine engine = GENERATE(from_range(test::engines()));
  const std::string id = GENERATE(from_range(k_ids));
  CAPTURE(id);
  RepairScene scene = odd_scene(engine);
  const auto before = rows_of_odd(scene);
  scene.selector.ids = {id};
  const Plan plan = scene.reconcile();
  REQUIRE(plan.size() == 2);
  CHECK(plan.unit(0).task == id);
  CHECK(plan.unit(0).finding.value().rule == Rule::dead);
  const ApplyResult result = scene.apply(plan);
  CHECK(result.run.applied == 2);
  CHECK(result.reports.empty());
  CHECK(scene.database().query(R"(SELECT "lock's" FROM "lo cks" WHERE "be cause" = '')") == std::vector<Cells>{{id}});
  CHECK(scene.database().query(R"(SELECT "id no" FROM "job's ""list""" WHERE "st ate" = 'fail''d')") ==
        std::vector<Cells>{{id}});
  CHECK(scene.database().value(R"(SELECT count(*) FROM "wörk ""ers""" WHERE "us ed" = 0)") == "2");
  CHECK(scene.apply(scene.undo(result.run.id)).run.applied == 2);
  CHECK(rows_of_odd(scene) == before);
}

TEST_CASE("workers with wildcards in their names are chosen by equality") {
  const Engine engine = GENERATE(from_range(test::engines()));
  RepairScene scene = odd_scene(engine);
  for (const std::string worker : {"w_1", "w%", "\\", "it's \"w\" ☃"}) {
    INFO(worker);
    scene.selector.workers = {worker};
    const Plan plan = scene.reconcile();
    REQUIRE(plan.size() == 2);  // the task, and the account of its worker
    CHECK(plan.unit(0).finding.value().task.worker == worker);
  }
  scene.selector.workers = {"w__"};
  CHECK(scene.reconcile().empty());
}

TEST_CASE("evidence and invariants are read from tables with odd names") {
  const Engine engine = GENERATE(from_range(test::engines()));
  RepairScene scene = odd_scene(engine, R"SQL(
    INSERT INTO "lo;gs" VALUES (1, '57_', 'it''s 100% "done"_ now'), (2, '57%', 'it''s 1000 "done"x');
    UPDATE "job's ""list""" SET "st ate" = 'done' WHERE "id no" = '572')SQL");
  const auto before = rows_of_odd(scene);
  const Plan plan = scene.reconcile();
  std::map<std::string, Outcome> outcomes;
  plan.for_each([&](std::size_t, const PlanUnit& unit) { outcomes.emplace(unit.task, unit.finding.value().outcome); });
  CHECK(outcomes.at("57_") == Outcome::succeeded);
  CHECK(outcomes.at("57%") == Outcome::failed);
  CHECK(outcomes.at("lo cks:572") == Outcome::corrected);
  CHECK(outcomes.count("lo cks:57") == 0);
  const ApplyResult result = scene.apply(plan);
  CHECK(result.run.applied == static_cast<std::int64_t>(plan.size()));
  CHECK(scene.apply(scene.undo(result.run.id)).run.conflicts == 0);
  CHECK(rows_of_odd(scene) == before);
}
