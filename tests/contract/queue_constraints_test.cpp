#include <catch2/catch.hpp>

#include "contract/queue_systems.hpp"

using namespace taskctl;
using namespace taskctl::test;
using Catch::Matchers::Contains;

namespace {

const std::string k_first_good_job = "00000000-0000-0000-0000-000000000001";

/// A system with something that its administrator added to it.
struct Altered {
  std::string profile;
  Engine engine;
  std::string sql;
};

const System& system_on(const std::string& profile, Engine engine) {
  return *std::ranges::find_if(
      systems(), [&](const System& system) { return system.profile == profile && system.engine == engine; });
}

/// Computed from what a repair writes, or part of a row that a repair deletes.
const std::vector<Altered>& generated_columns() {
  static const std::vector<Altered> k_generated{
      {"river", Engine::postgres,
       "ALTER TABLE river_job ADD COLUMN computed boolean GENERATED ALWAYS AS (state = 'retryable') STORED"},
      {"river", Engine::sqlite, "ALTER TABLE river_job ADD COLUMN computed AS (state = 'retryable') VIRTUAL"},
      {"oban", Engine::postgres,
       "ALTER TABLE oban_jobs ADD COLUMN computed boolean GENERATED ALWAYS AS (state = 'available') STORED"},
      {"good-job", Engine::postgres,
       "ALTER TABLE good_jobs ADD COLUMN computed text GENERATED ALWAYS AS (coalesce(locked_by_id::text, 'free')) "
       "STORED"},
      {"solid-queue", Engine::postgres,
       "ALTER TABLE solid_queue_claimed_executions ADD COLUMN computed bigint GENERATED ALWAYS AS (job_id * 2) STORED"},
      {"solid-queue", Engine::sqlite,
       "ALTER TABLE solid_queue_claimed_executions ADD COLUMN computed AS (job_id * 2) VIRTUAL"},
      {"procrastinate", Engine::postgres,
       "ALTER TABLE procrastinate_jobs ADD COLUMN computed integer GENERATED ALWAYS AS (attempts + 100) STORED"},
  };
  return k_generated;
}

/// A CHECK that the first stuck job would break.
const std::vector<Altered>& checks() {
  static const std::vector<Altered> k_checks{
      {"river", Engine::postgres, "ALTER TABLE river_job ADD CONSTRAINT mine CHECK (id <> 1 OR state <> 'retryable')"},
      {"oban", Engine::postgres, "ALTER TABLE oban_jobs ADD CONSTRAINT mine CHECK (id <> 1 OR state <> 'available')"},
      {"good-job", Engine::postgres,
       "ALTER TABLE good_jobs ADD CONSTRAINT mine CHECK (id <> '" + k_first_good_job +
           "' OR locked_by_id IS NOT NULL)"},
      {"solid-queue", Engine::postgres,
       "ALTER TABLE solid_queue_failed_executions ADD CONSTRAINT mine CHECK (job_id <> 1)"},
      {"procrastinate", Engine::postgres,
       "ALTER TABLE procrastinate_jobs ADD CONSTRAINT mine CHECK (id <> 1 OR status <> 'todo')"},
  };
  return k_checks;
}

const std::string k_odd_errors =
    R"(ARRAY['{"at": "2026-06-01T04:10:00Z", "attempt": 1, "error": "a \"quoted\" {brace}, a \\ back\\slash,\nand ünïcode"}', )"
    R"('null', '[1, "x"]', '"NULL"', '{}']::jsonb[])";

}  // namespace

TEST_CASE("a generated column of a system is never written and comes back") {
  const Altered altered = GENERATE(from_range(generated_columns()));
  const System& system = system_on(altered.profile, altered.engine);
  INFO(system.fixture);
  RepairScene scene = scene_of(system, altered.sql);
  const auto before = scene.rows(system.table);
  const ApplyResult result = scene.apply(scene.reconcile());
  REQUIRE(result.run.applied > 0);
  CHECK(scene.rows(system.table) != before);
  for (const JournalEntry& entry : scene.entries(result.run.id)) {
    CHECK(entry.side_effects.empty());
    CHECK(std::ranges::count(entry.change.written, "computed") == 0);
  }
  const ApplyResult undone = scene.apply(scene.undo(result.run.id));
  CHECK(undone.run.applied == result.run.applied);
  for (const JournalEntry& entry : scene.entries(undone.run.id)) {
    CHECK(std::ranges::count(entry.change.written, "computed") == 0);
  }
  CHECK(scene.rows(system.table) == before);
}

TEST_CASE("a check of the application stops one job of a system and no other") {
  const Altered altered = GENERATE(from_range(checks()));
  const System& system = system_on(altered.profile, altered.engine);
  INFO(system.fixture);
  RepairScene whole = scene_of(system);
  const std::int64_t applied = whole.apply(whole.reconcile()).run.applied;
  RepairScene scene = scene_of(system, altered.sql);
  const ApplyResult result = scene.apply(scene.reconcile());
  CHECK(report_on(result, system.stuck).result == UnitResult::failed);
  CHECK_THAT(report_on(result, system.stuck).detail, Contains("mine"));
  CHECK(result.run.applied == applied - 1);
}

TEST_CASE("oban - an index of the application stops one job and no other") {
  RepairScene scene = scene_of(system_named("oban"));
  const ApplyResult result = scene.apply(scene.reconcile());
  CHECK(result.run.failed == 1);
  CHECK_THAT(report_on(result, "3").detail, Contains("one_sync_waits"));
  CHECK(result.applied == std::vector<std::string>{"1", "2"});
}

TEST_CASE("oban - the range of attempts is kept whatever a repair does") {
  RepairScene scene = scene_of(system_named("oban"), "UPDATE oban_jobs SET attempt = max_attempts WHERE id IN (1, 3)");
  CHECK(scene.apply(scene.reconcile()).run.failed == 0);  // discarded, all of them
  CHECK(scene.database().value("SELECT count(*) FROM oban_jobs WHERE state = 'discarded' AND id < 4") == "3");
  CHECK(scene.database().value(
            "SELECT count(*) FROM oban_jobs WHERE state = 'available' AND attempt >= max_attempts") == "0");
}

TEST_CASE("solid-queue - a job that is claimed and failed at once stops one repair and no other") {
  const auto engine = GENERATE(Engine::sqlite, Engine::postgres);
  RepairScene scene = scene_of(system_on("solid-queue", engine),
                               "INSERT INTO solid_queue_failed_executions (job_id, error, created_at) VALUES (1, "
                               "'{\"message\":\"boom\"}', '2026-06-01 08:30:00.000000')");
  const ApplyResult result = scene.apply(scene.reconcile());
  CHECK(report_on(result, "1").result == UnitResult::failed);
  CHECK(result.run.failed == 1);
  CHECK(scene.database().value("SELECT count(*) FROM solid_queue_claimed_executions WHERE job_id = 1") == "1");
  CHECK(scene.database().value("SELECT count(*) FROM solid_queue_failed_executions WHERE job_id IN (2, 3, 4)") == "3");
}

TEST_CASE("solid-queue - semaphores and the jobs behind them stay whatever becomes of a job") {
  const auto engine = GENERATE(Engine::sqlite, Engine::postgres);
  const auto outcome = GENERATE(Outcome::failed, Outcome::requeued);
  RepairScene scene = scene_of(system_on("solid-queue", engine));
  scene.policy.outcome = outcome;
  const auto semaphores = scene.rows("solid_queue_semaphores");
  const auto blocked = scene.rows("solid_queue_blocked_executions");
  scene.selector.ids = {"2"};
  CHECK(scene.apply(scene.reconcile()).run.applied == 1);
  CHECK(scene.rows("solid_queue_semaphores") == semaphores);
  CHECK(scene.rows("solid_queue_blocked_executions") == blocked);
}

TEST_CASE("good-job - batches executions and processes stay as they are") {
  RepairScene scene = scene_of(system_named("good-job"));
  const auto others = [&scene] {
    return std::vector{scene.rows("good_job_batches"), scene.rows("good_job_executions"),
                       scene.rows("good_job_processes")};
  };
  const auto before = others();
  CHECK(scene.apply(scene.reconcile()).run.applied == 4);
  CHECK(others() == before);
}

TEST_CASE("an entry is appended to an array of json whatever stands in it and comes off again") {
  const auto [profile, jobs, id] =
      GENERATE(table<std::string, std::string, std::string>({{"river", "river_job", "1"}, {"oban", "oban_jobs", "2"}}));
  INFO(profile);
  RepairScene scene =
      scene_of(system_named(profile), "UPDATE " + jobs + " SET errors = " + k_odd_errors + " WHERE id = " + id);
  const auto before = scene.rows(jobs);
  const std::string where = " FROM " + jobs + " WHERE id = " + id;
  scene.selector.ids = {id};
  const ApplyResult result = scene.apply(scene.reconcile());
  REQUIRE(result.run.applied == 1);
  CHECK(scene.database().value("SELECT array_length(errors, 1)" + where) == "6");
  CHECK(scene.database().value("SELECT errors[1:5] = " + k_odd_errors + where) == "t");
  CHECK_THAT(scene.database().value("SELECT errors[6] ->> 'error'" + where).value_or(""),
             Contains("stuck") || Contains("put right"));
  scene.apply(scene.undo(result.run.id));
  CHECK(scene.rows(jobs) == before);
}

TEST_CASE("an array of json that does not begin at 1 keeps its bounds") {
  RepairScene scene = scene_of(system_named("river"),
                               R"(UPDATE river_job SET errors = '[0:1]={"{\"a\": 1}","{\"b\": 2}"}' WHERE id = 1)");
  const auto before = scene.rows("river_job");
  scene.selector.ids = {"1"};
  const ApplyResult result = scene.apply(scene.reconcile());
  CHECK(scene.database().value("SELECT array_dims(errors) FROM river_job WHERE id = 1") == "[0:2]");
  scene.apply(scene.undo(result.run.id));
  CHECK(scene.rows("river_job") == before);
}
