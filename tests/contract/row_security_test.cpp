#include <fmt/format.h>
#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "contract/queue_systems.hpp"

using namespace taskctl;
using namespace taskctl::test;
using Catch::Matchers::Contains;

namespace {

/// Every later session is one of a role that may do everything but look behind policies.
std::string as_limited_role(const std::string& attributes = {}) {
  return fmt::format(R"(DO $$
    DECLARE limited text := current_database() || '_limited';
    BEGIN
      EXECUTE format('CREATE ROLE %I {}', limited);
      EXECUTE format('GRANT ALL ON ALL TABLES IN SCHEMA public TO %I', limited);
      EXECUTE format('GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO %I', limited);
      EXECUTE format('GRANT CREATE ON DATABASE %I TO %I', current_database(), limited);
      EXECUTE format('ALTER DATABASE %I SET role = %I', current_database(), limited);
    END $$;)",
                     attributes);
}

std::string protects(const std::string& table, const std::string& policies = {}) {
  return fmt::format("ALTER TABLE {} ENABLE ROW LEVEL SECURITY;{}", table, policies);
}

struct Protected {
  std::string profile, table;
};

/// Everything that the profiles read, also what only their SQL names.
const std::vector<Protected>& protected_tables() {
  static const std::vector<Protected> k_tables{
      {"river", "river_job"},
      {"river", "river_migration"},
      {"oban", "oban_jobs"},
      {"good-job", "good_jobs"},
      {"good-job", "good_job_processes"},
      {"solid-queue", "solid_queue_jobs"},
      {"solid-queue", "solid_queue_claimed_executions"},
      {"solid-queue", "solid_queue_failed_executions"},
      {"solid-queue", "solid_queue_ready_executions"},
      {"solid-queue", "solid_queue_scheduled_executions"},
      {"solid-queue", "solid_queue_blocked_executions"},
      {"solid-queue", "solid_queue_processes"},
      {"procrastinate", "procrastinate_jobs"},
      {"procrastinate", "procrastinate_workers"},
      {"procrastinate", "procrastinate_events"},
  };
  return k_tables;
}

std::string refusal_of(const Schema& schema) {
  try {
    require_all_rows_visible(schema, false);
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::access);
    CHECK_THAT(error.hint(), Contains("--accept-hazard rls"));
    return error.message();
  }
  return {};
}

RepairScene limited_river(const std::string& policies) {
  return scene_of(system_named("river"), protects("river_job", policies) + as_limited_role());
}

}  // namespace

TEST_CASE("policies on any table that a profile reads are a reason not to trust what is seen") {
  const Protected one = GENERATE(from_range(protected_tables()));
  INFO(one.table);
  RepairScene scene = scene_of(system_named(one.profile), protects(one.table) + as_limited_role());
  CHECK_THAT(refusal_of(scene.store().schema()), Contains("'public." + one.table + "'"));
  CHECK_NOTHROW(require_all_rows_visible(scene.store().schema(), true));
  const Listing listing = list_stuck(scene.store(), {.selector = {}, .policy = scene.policy, .now = scene.now});
  CHECK(std::ranges::any_of(listing.warnings, [&](const std::string& warning) {
    return warning.find("hides rows of 'public." + one.table + "'") != std::string::npos;
  }));
}

TEST_CASE("policies are none of the business of a role that passes them") {
  const Protected one = GENERATE(from_range(protected_tables()));
  INFO(one.table);
  RepairScene plain = scene_of(system_named(one.profile));
  RepairScene scene = scene_of(system_named(one.profile), protects(one.table) + as_limited_role("BYPASSRLS"));
  CHECK(refusal_of(scene.store().schema()).empty());
  CHECK(tasks_of(scene.reconcile()) == tasks_of(plain.reconcile()));
}

TEST_CASE("policies that are forced on the owner count for the owner") {
  RepairScene scene = scene_of(
      system_named("oban"),
      protects("oban_jobs") + as_limited_role() +
          "DO $$ BEGIN EXECUTE format('ALTER TABLE oban_jobs OWNER TO %I', current_database() || '_limited'); END $$;");
  CHECK(refusal_of(scene.store().schema()).empty());
  scene.database().exec("ALTER TABLE oban_jobs FORCE ROW LEVEL SECURITY");
  CHECK_THAT(refusal_of(read_schema(scene.connection(), scene.profile())), Contains("oban_jobs"));
}

TEST_CASE("what a role does not see it does not change") {
  RepairScene scene = limited_river("CREATE POLICY odd ON river_job USING (id % 2 = 1);");
  const auto before = scene.rows("river_job");
  const auto hidden = scene.rows("river_job WHERE id % 2 = 0");
  CHECK(left_of(scene.cancel({"4"}, true)).at("4") == LeftOut::Why::unknown);
  const ApplyResult result = scene.apply(scene.reconcile());
  CHECK(result.applied == std::vector<std::string>{"1", "3"});
  CHECK(report_on(result, "5").result == UnitResult::failed);  // its twin is hidden, and counts all the same
  CHECK(scene.rows("river_job WHERE id % 2 = 0") == hidden);
  CHECK(scene.apply(scene.undo(result.run.id)).run.applied == result.run.applied);
  CHECK(scene.rows("river_job") == before);
}

TEST_CASE("a row that a policy shows and keeps from being changed is not called locked by others alone") {
  RepairScene scene = limited_river(
      "CREATE POLICY sees ON river_job FOR SELECT USING (true);"
      "CREATE POLICY changes ON river_job FOR UPDATE USING (id <> 2);");
  const ApplyResult result = scene.apply(scene.reconcile());
  CHECK(report_on(result, "2").result == UnitResult::busy);
  CHECK_THAT(report_on(result, "2").detail, Contains("row-level security"));
  CHECK(scene.database().value("SELECT state FROM river_job WHERE id = 2") == "running");
  CHECK(result.run.applied == 3);
}

TEST_CASE("a policy that refuses what a row would become stops one job and no other") {
  RepairScene scene =
      limited_river("CREATE POLICY no_end ON river_job USING (true) WITH CHECK (state <> 'discarded');");
  const ApplyResult result = scene.apply(scene.reconcile());
  CHECK(report_on(result, "3").result == UnitResult::failed);
  CHECK_THAT(report_on(result, "3").detail, Contains("row-level security policy"));
  CHECK(result.run.failed == 2);  // and 5, whose twin waits
  CHECK(result.run.applied == 3);
}

TEST_CASE("a policy that refuses a row beside the task stops one job and no other") {
  RepairScene scene =
      scene_of(system_named("solid-queue"),
               protects("solid_queue_failed_executions",
                        "CREATE POLICY most ON solid_queue_failed_executions USING (true) WITH CHECK (job_id <> 2);") +
                   as_limited_role());
  const ApplyResult result = scene.apply(scene.reconcile());
  CHECK(report_on(result, "2").result == UnitResult::failed);
  CHECK(result.run.failed == 1);
  CHECK(scene.database().value("SELECT count(*) FROM solid_queue_claimed_executions WHERE job_id = 2") == "1");
  CHECK(scene.database().value("SELECT count(*) FROM solid_queue_failed_executions WHERE job_id IN (1, 3, 4)") == "3");
}

TEST_CASE("a right that is missing still ends the run") {
  RepairScene scene = scene_of(system_named("river"), as_limited_role() +
                                                          "DO $$ BEGIN EXECUTE format('REVOKE UPDATE ON river_job FROM "
                                                          "%I', current_database() || '_limited'); END $$;");
  const Plan plan = scene.reconcile();
  try {
    scene.apply(plan);
    FAIL("applied");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::access);
  }
}
