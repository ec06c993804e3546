#include <catch2/catch.hpp>

#include "contract/queue_systems.hpp"

using namespace taskctl;
using namespace taskctl::test;
using Catch::Matchers::Contains;

namespace {

bool plans(const Plan& plan, const std::string& task) {
  bool found = false;
  plan.for_each([&](std::size_t, const PlanUnit& unit) { found = found || unit.task == task; });
  return found;
}

const std::string k_locked_job = "00000000-0000-0000-0000-000000000004";

}  // namespace

TEST_CASE("every system is told apart by its tables") {
  const System system = GENERATE(from_range(systems()));
  INFO(system.fixture);
  const auto database = temp_database(system.engine, fixture(system.fixture));
  CHECK(choose_profile(*database->open(Access::read)).name == system.profile);
}

TEST_CASE("a result table is told apart with and without what it may have") {
  const auto chosen = [](TempDatabase& database) { return choose_profile(*database.open(Access::read)).title(); };
  CHECK(chosen(*temp_postgres(fixture("celery_django.postgres.sql"))) == "celery django");
  const auto sqlite = temp_sqlite(fixture("celery_sqlalchemy.sqlite.sql"));
  CHECK(chosen(*sqlite) == "celery sqlalchemy-extended-sqlite");
  sqlite->exec("ALTER TABLE celery_taskmeta DROP COLUMN name");
  CHECK(chosen(*sqlite) == "celery sqlalchemy-sqlite");
  const std::string plain =
      "CREATE TABLE celery_taskmeta (id integer PRIMARY KEY, task_id varchar(155) UNIQUE, status varchar(50), result "
      "bytea, date_done timestamp, traceback text";
  CHECK(chosen(*temp_postgres(plain + ")")) == "celery sqlalchemy");
  CHECK(chosen(*temp_postgres(plain + ", name varchar(155), worker varchar(155), retries integer, queue "
                                      "varchar(155))")) == "celery sqlalchemy-extended");
  CHECK(
      chosen(*temp_sqlite("CREATE TABLE django_celery_results_taskresult (id integer PRIMARY KEY, task_id varchar(255) "
                          "NOT NULL UNIQUE, status varchar(50) NOT NULL, task_name varchar(255), worker varchar(100), "
                          "traceback text, date_created datetime NOT NULL, date_started datetime, date_done datetime "
                          "NOT NULL)")) == "celery django-sqlite");
}

TEST_CASE("several systems in one database are a question for the user") {
  const auto database = temp_postgres(fixture("oban.postgres.sql") + fixture("procrastinate.postgres.sql"));
  try {
    choose_profile(*database->open(Access::read));
    FAIL("chosen");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::mismatch);
    CHECK_THAT(error.message(), Contains("'oban'") && Contains("'procrastinate'"));
  }
}

TEST_CASE("a job that its worker ends after the plan was made stays as the worker wrote it") {
  const System system = GENERATE(from_range(systems()));
  INFO(system.fixture);
  RepairScene scene = scene_of(system);
  const Plan plan = scene.reconcile();
  REQUIRE(plans(plan, system.stuck));
  scene.database().exec(system.finish);
  const std::string row = "SELECT * FROM " + system.table + " WHERE id = '" + system.stuck + "'";
  const auto as_written = scene.database().query(row);
  const ApplyResult result = scene.apply(plan);
  CHECK(result.run.moved_on == 1);
  CHECK(report_on(result, system.stuck).result == UnitResult::moved_on);
  CHECK(scene.database().query(row) == as_written);
}

TEST_CASE("undo brings back every row of a system byte by byte") {
  const System system = GENERATE(from_range(systems()));
  INFO(system.fixture);
  RepairScene scene = scene_of(system);
  const auto before = scene.rows(system.table);
  const ApplyResult result = scene.apply(scene.reconcile());
  REQUIRE(result.run.applied > 0);
  CHECK(scene.rows(system.table) != before);
  scene.apply(scene.undo(result.run.id));
  CHECK(scene.rows(system.table) == before);
}

TEST_CASE("procrastinate - a worker that is heard of again keeps its jobs") {
  RepairScene scene = scene_of(system_named("procrastinate"));
  const Plan plan = scene.reconcile();
  scene.database().exec("UPDATE procrastinate_workers SET last_heartbeat = '2026-06-01 11:59:59+00' WHERE id = 2");
  const ApplyResult result = scene.apply(plan);
  CHECK(report_on(result, "1").result == UnitResult::moved_on);
  CHECK(report_on(result, "3").result == UnitResult::moved_on);
  CHECK(scene.database().value("SELECT status FROM procrastinate_jobs WHERE id = 1") == "doing");
  CHECK(scene.database().value("SELECT status FROM procrastinate_jobs WHERE id = 2") == "todo");
}

TEST_CASE("procrastinate - a check and a unique index stop one job each and no other") {
  RepairScene scene = scene_of(system_named("procrastinate"));
  scene.policy.outcome = Outcome::requeued;
  const ApplyResult result = scene.apply(scene.reconcile());
  CHECK(result.run.applied == 2);
  CHECK(result.run.failed == 2);
  CHECK_THAT(report_on(result, "3").detail, Contains("check_not_todo_abort_requested"));
  CHECK_THAT(report_on(result, "4").detail, Contains("procrastinate_jobs_queueing_lock_idx_v1"));
  CHECK(scene.database().value("SELECT count(*) FROM procrastinate_events WHERE type = 'deferred_for_retry' AND "
                               "at > now() - interval '1 hour'") == "2");
}

TEST_CASE("oban - spent attempts are discarded with an error behind the others") {
  RepairScene scene = scene_of(system_named("oban"));
  scene.selector.ids = {"2"};
  scene.apply(scene.reconcile());
  CHECK(scene.database().value("SELECT state FROM oban_jobs WHERE id = 2") == "discarded");
  CHECK(scene.database().value("SELECT array_length(errors, 1) FROM oban_jobs WHERE id = 2") == "2");
  CHECK(scene.database().value("SELECT errors[1] ->> 'error' FROM oban_jobs WHERE id = 2") == "timeout");
  CHECK(scene.database().value("SELECT errors[2] ->> 'attempt' FROM oban_jobs WHERE id = 2") == "3");
}

TEST_CASE("good-job - whoever holds the advisory lock of a job or of its process is alive") {
  const std::string key = GENERATE("('x' || substr(md5('good_jobs-" + k_locked_job + "'), 1, 16))::bit(64)::bigint",
                                   "hashtext('good_jobs-" + k_locked_job + "')::bigint",
                                   "('x' || substr(md5('good_job_processes-aaaaaaaa-0000-0000-0000-000000000003'), 1, "
                                   "16))::bit(64)::bigint");
  RepairScene scene = scene_of(system_named("good-job"));
  CHECK(plans(scene.reconcile(), k_locked_job));
  scene.database().query("SELECT pg_advisory_lock(" + key + ")");
  CHECK_FALSE(plans(scene.reconcile(), k_locked_job));
  scene.database().query("SELECT pg_advisory_unlock_all()");
  CHECK(plans(scene.reconcile(), k_locked_job));
}

TEST_CASE("good-job - an advisory lock in another database says nothing") {
  RepairScene scene = scene_of(system_named("good-job"));
  const auto other = temp_postgres("SELECT 1");
  other->query("SELECT pg_advisory_lock(('x' || substr(md5('good_jobs-" + k_locked_job +
               "'), 1, 16))::bit(64)::bigint)");
  CHECK(plans(scene.reconcile(), k_locked_job));
}

TEST_CASE("good-job - a lock that is taken after the plan was made stops the repair") {
  RepairScene scene = scene_of(system_named("good-job"));
  const Plan plan = scene.reconcile();
  scene.database().query("SELECT pg_advisory_lock(('x' || substr(md5('good_jobs-" + k_locked_job +
                         "'), 1, 16))::bit(64)::bigint)");
  const ApplyResult result = scene.apply(plan);
  CHECK(report_on(result, k_locked_job).result == UnitResult::moved_on);
  CHECK(scene.database().value("SELECT locked_at FROM good_jobs WHERE id = '" + k_locked_job + "'") ==
        "2026-06-01 06:30:00");
}

TEST_CASE("river - the index of unique jobs stops one job and no other and every end has its time") {
  const auto engine = GENERATE(from_range(test::engines()));
  const std::string file = std::string{"river."} + (engine == Engine::sqlite ? "sqlite" : "postgres") + ".sql";
  auto database = temp_database(engine, fixture(file));
  Profile profile = choose_profile(*database->open(Access::read));
  RepairScene scene{std::move(database), std::move(profile), k_clock};
  const ApplyResult result = scene.apply(scene.reconcile());
  CHECK(result.run.applied == 4);
  CHECK(result.run.failed == 1);
  CHECK(report_on(result, "5").result == UnitResult::failed);
  CHECK(scene.database().value("SELECT state FROM river_job WHERE id = 5") == "running");
  CHECK(scene.database().value("SELECT count(*) FROM river_job WHERE (finalized_at IS NOT NULL) <> (state IN "
                               "('cancelled', 'completed', 'discarded'))") == "0");
}

TEST_CASE("river - a job that is unique where it runs may be given back") {
  RepairScene scene = scene_of(system_named("river"), "UPDATE river_job SET unique_states = B'10000000' WHERE id = 5");
  scene.selector.ids = {"5"};
  CHECK(scene.apply(scene.reconcile()).run.applied == 1);
}

TEST_CASE("solid-queue - a claim that its process gives up meanwhile is left to it") {
  RepairScene scene = scene_of(system_named("solid-queue"));
  const Plan plan = scene.reconcile();
  scene.database().exec("UPDATE solid_queue_processes SET last_heartbeat_at = '2026-06-01 11:59:59' WHERE id = 3");
  const ApplyResult result = scene.apply(plan);
  CHECK(report_on(result, "1").result == UnitResult::moved_on);
  CHECK(report_on(result, "2").result == UnitResult::moved_on);
  CHECK(scene.database().value("SELECT count(*) FROM solid_queue_failed_executions WHERE job_id IN (1, 2)") == "0");
  CHECK(scene.database().value("SELECT value FROM solid_queue_semaphores") == "0");
}
