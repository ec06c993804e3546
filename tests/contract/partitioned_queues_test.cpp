#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "contract/queue_systems.hpp"

using namespace taskctl;
using namespace taskctl::test;
using Catch::Matchers::Contains;

namespace {

/// One table of a system cut into partitions, as its administrator would.
struct PartitionLayout {
  std::string profile, table, key, by;
  std::vector<std::string> bounds;
  std::string index{};  ///< made on every partition: an index that is unique over all of them is not to be had
};

/// A table in one piece becomes one in parts named TABLE_p1, TABLE_p2 …
std::string cut(const PartitionLayout& layout) {
  const std::string& table = layout.table;
  std::string sql = fmt::format(
      "SET client_min_messages = warning; ALTER TABLE {0} ALTER COLUMN id DROP IDENTITY IF EXISTS; ALTER SEQUENCE IF "
      "EXISTS {0}_id_seq OWNED BY NONE;"
      "ALTER TABLE {0} RENAME TO {0}_whole;"
      "CREATE TABLE {0} (LIKE {0}_whole INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING COMMENTS, PRIMARY KEY "
      "({1})) "
      "PARTITION BY {2};",
      table, layout.key, layout.by);
  for (std::size_t i = 0; i < layout.bounds.size(); ++i) {
    const std::string part = fmt::format("{}_p{}", table, i + 1);
    sql += fmt::format("CREATE TABLE {} PARTITION OF {} {};", part, table, layout.bounds[i]);
    sql += layout.index.empty() ? "" : fmt::format("CREATE UNIQUE INDEX ON {} {};", part, layout.index);
  }
  sql += fmt::format("INSERT INTO {0} SELECT * FROM {0}_whole; DROP TABLE {0}_whole CASCADE;", table);
  if (table == "oban_jobs") {
    sql += "COMMENT ON TABLE oban_jobs IS '14';";
  }
  if (table == "procrastinate_jobs") {
    const std::string all = fixture("procrastinate.postgres.sql");
    const std::size_t triggers = all.find("CREATE TRIGGER");
    sql += all.substr(triggers, all.rfind("COMMIT") - triggers);
  }
  return sql;
}

const std::vector<std::string> k_by_id = {"FOR VALUES FROM (MINVALUE) TO (4)", "FOR VALUES FROM (4) TO (9)", "DEFAULT"};
const std::vector<std::string> k_by_day = {"FOR VALUES FROM (MINVALUE) TO ('2026-06-01 00:00:00')",
                                           "FOR VALUES FROM ('2026-06-01 00:00:00') TO ('2026-06-01 06:30:00')",
                                           "FOR VALUES FROM ('2026-06-01 06:30:00') TO (MAXVALUE)"};
const std::string k_river_unique =
    "(unique_key) WHERE unique_key IS NOT NULL AND unique_states IS NOT NULL AND "
    "river_job_state_in_bitmask(unique_states, state)";
const std::string k_oban_unique = "(worker) WHERE worker = 'App.Sync' AND state = 'available'";

const PartitionLayout k_river_by_state{"river",
                                       "river_job",
                                       "id, state",
                                       "LIST (state)",
                                       {"FOR VALUES IN ('running')", "FOR VALUES IN ('retryable', 'available')",
                                        "FOR VALUES IN ('completed', 'cancelled', 'discarded')", "DEFAULT"},
                                       k_river_unique};

const std::vector<PartitionLayout>& layouts() {
  static const std::vector<PartitionLayout> k_layouts{
      {"river", "river_job", "id", "RANGE (id)", {"FOR VALUES FROM (MINVALUE) TO (5)", "DEFAULT"}, k_river_unique},
      {"river",
       "river_job",
       "id, created_at",
       "RANGE (created_at)",
       {"FOR VALUES FROM (MINVALUE) TO ('2026-06-01 00:00:00+00')",
        "FOR VALUES FROM ('2026-06-01 00:00:00+00') TO ('2026-06-01 06:00:00+00')", "DEFAULT"},
       k_river_unique},
      k_river_by_state,
      {"oban",
       "oban_jobs",
       "id",
       "RANGE (id)",
       {"FOR VALUES FROM (MINVALUE) TO (3)", "FOR VALUES FROM (3) TO (9)", "DEFAULT"},
       k_oban_unique},
      {"oban",
       "oban_jobs",
       "id, state",
       "LIST (state)",
       {"FOR VALUES IN ('executing')", "FOR VALUES IN ('available', 'retryable', 'scheduled')", "DEFAULT"},
       k_oban_unique},
      {"good-job",
       "good_jobs",
       "id",
       "HASH (id)",
       {"FOR VALUES WITH (MODULUS 2, REMAINDER 0)", "FOR VALUES WITH (MODULUS 2, REMAINDER 1)"}},
      {"good-job", "good_jobs", "id, created_at", "RANGE (created_at)", k_by_day},
      {"good-job", "good_job_processes", "id, created_at", "RANGE (created_at)", k_by_day},
      {"solid-queue", "solid_queue_jobs", "id", "RANGE (id)", k_by_id},
      {"solid-queue", "solid_queue_claimed_executions", "id, job_id", "RANGE (job_id)", k_by_id, "(job_id)"},
      {"solid-queue", "solid_queue_failed_executions", "id, job_id", "RANGE (job_id)", k_by_id, "(job_id)"},
      {"solid-queue", "solid_queue_processes", "id", "RANGE (id)", k_by_id},
      {"procrastinate", "procrastinate_jobs", "id", "RANGE (id)", k_by_id, "(queueing_lock) WHERE status = 'todo'"},
      {"procrastinate", "procrastinate_events", "id, at", "RANGE (at)", k_by_day},
      {"procrastinate", "procrastinate_workers", "id", "RANGE (id)", {"FOR VALUES FROM (0) TO (2)", "DEFAULT"}},
  };
  return k_layouts;
}

/// A row beside the tasks is named by its primary key, which partitions make longer.
std::string short_id(const std::string& id) {
  return id.substr(0, id.find(':'));
}

/// id, rule and outcome of everything that is wrong.
std::vector<std::string> wrong_in(RepairScene& scene) {
  std::vector<std::string> found;
  list_stuck(scene.store(), {.selector = scene.selector, .policy = scene.policy, .now = scene.now})
      .for_each([&found](const ListItem& item) {
        found.push_back(fmt::format("{} {} {}", short_id(id_of(item.finding)), to_string(item.finding.rule),
                                    to_string(item.finding.outcome)));
      });
  std::ranges::sort(found);
  return found;
}

/// What became of each task, without what differs from layout to layout: the text of a constraint.
std::map<std::string, UnitResult> results_of(const ApplyResult& result) {
  std::map<std::string, UnitResult> results;
  for (const std::string& task : result.applied) {
    results[short_id(task)] = UnitResult::applied;
  }
  for (const UnitReport& report : result.reports) {
    results[short_id(report.task)] = report.result;
  }
  return results;
}

/// Every row of the system's own table with the partition in which it stands.
std::vector<Cells> placed_rows(RepairScene& scene, const std::string& table) {
  return scene.database().query("SELECT tableoid::regclass, * FROM " + table + " ORDER BY 2, 3");
}

RepairScene scene_in(const PartitionLayout& layout) {
  return scene_of(system_named(layout.profile), cut(layout));
}

void insert_twin(RepairScene& scene) {
  scene.database().exec(
      "INSERT INTO river_job (id, state, attempt, attempted_at, created_at, args, kind) VALUES (1, 'available', 0, "
      "NULL, "
      "'2026-06-01 05:59:00+00', '{}', 'send_mail')");
}

}  // namespace

TEST_CASE("a queue in partitions is listed repaired and undone as one in one piece") {
  const PartitionLayout layout = GENERATE(from_range(layouts()));
  INFO(layout.table << " by " << layout.by);
  const System& system = system_named(layout.profile);
  RepairScene whole = scene_of(system);
  RepairScene cut_up = scene_in(layout);
  REQUIRE(cut_up.profile().name == layout.profile);
  REQUIRE(cut_up.rows(system.table) == whole.rows(system.table));
  CHECK(wrong_in(cut_up) == wrong_in(whole));

  const auto before = placed_rows(cut_up, layout.table);
  const auto own_before = cut_up.rows(system.table);
  const ApplyResult result = cut_up.apply(cut_up.reconcile());
  CHECK(results_of(result) == results_of(whole.apply(whole.reconcile())));
  CHECK(result.run.applied > 0);
  CHECK(cut_up.rows(system.table) == whole.rows(system.table));
  CHECK(cut_up.apply(cut_up.undo(result.run.id)).run.applied == result.run.applied);
  CHECK(cut_up.rows(system.table) == own_before);
  if (layout.table != "procrastinate_events") {  // a history: what the repair and its undo add to it stays
    CHECK(placed_rows(cut_up, layout.table) == before);
  }
}

TEST_CASE("a task moves to the partition of its new state and back") {
  RepairScene scene = scene_in(k_river_by_state);
  scene.selector.ids = {"1"};
  const auto place = [&scene] {
    return scene.database().value("SELECT tableoid::regclass FROM river_job WHERE id = 1");
  };
  const ApplyResult result = scene.apply(scene.reconcile());
  CHECK(place() == "river_job_p2");
  const std::vector<JournalEntry> entries = scene.entries(result.run.id);
  REQUIRE(entries.size() == 1);
  CHECK(entries[0].task == "1");
  CHECK(entries[0].change.key.display() == "id=1");
  CHECK(scene.apply(scene.undo(result.run.id)).run.applied == 1);
  CHECK(place() == "river_job_p1");
}

TEST_CASE("a task that its worker moved to another partition is left as the worker wrote it") {
  RepairScene scene = scene_in(k_river_by_state);
  const Plan plan = scene.reconcile();
  scene.database().exec(system_named("river").finish);
  const auto as_written = placed_rows(scene, "river_job WHERE id = 1");
  const ApplyResult result = scene.apply(plan);
  CHECK(report_on(result, "1").result == UnitResult::moved_on);
  CHECK(placed_rows(scene, "river_job WHERE id = 1") == as_written);
}

TEST_CASE("a task that its worker is moving to another partition is not waited for") {
  RepairScene scene = scene_in(k_river_by_state);
  const Plan plan = scene.reconcile();
  scene.database().exec("BEGIN;" + system_named("river").finish);
  const ApplyResult result = scene.apply(plan);
  CHECK(report_on(result, "1").result == UnitResult::busy);
  CHECK(result.run.applied == 3);
  scene.database().exec("COMMIT");
  const Plan again = replan(scene.store(), plan, {"1"});
  CHECK(again.empty());
  CHECK(scene.database().value("SELECT state FROM river_job WHERE id = 1") == "completed");
}

TEST_CASE("two partitions with the same id have no task that can be named") {
  RepairScene scene = scene_in(k_river_by_state);
  const Plan before = scene.reconcile();
  insert_twin(scene);
  const auto as_it_was = placed_rows(scene, "river_job WHERE id = 1");
  const Plan plan = scene.reconcile();
  CHECK(left_of(plan).at("1") == LeftOut::Why::unaddressable);
  CHECK_THAT(plan.left_out.front().detail, Contains("different partitions"));
  CHECK(left_of(scene.cancel({"1"}, true)).at("1") == LeftOut::Why::unaddressable);
  // It came after the plan was made.
  CHECK(report_on(scene.apply(before), "1").result == UnitResult::conflict);
  CHECK(placed_rows(scene, "river_job WHERE id = 1") == as_it_was);
}

TEST_CASE("a partition that is detached after the plan takes its tasks with it") {
  RepairScene scene = scene_in({"river", "river_job", "id", "RANGE (id)", k_by_id, k_river_unique});
  const Plan plan = scene.reconcile();
  scene.database().exec("ALTER TABLE river_job DETACH PARTITION river_job_p1");
  const auto detached = scene.rows("river_job_p1");
  const ApplyResult result = scene.apply(plan);
  for (const std::string gone : {"1", "2", "3"}) {
    CHECK(report_on(result, gone).result == UnitResult::moved_on);
    CHECK(report_on(result, gone).detail == "row is gone");
  }
  CHECK(result.applied == std::vector<std::string>{"4"});
  CHECK(scene.rows("river_job_p1") == detached);
}

TEST_CASE("a run whose partition is detached is undone as far as its rows are there") {
  RepairScene scene = scene_in({"river", "river_job", "id", "RANGE (id)", k_by_id, k_river_unique});
  const auto before = scene.rows("river_job");
  const ApplyResult result = scene.apply(scene.reconcile());
  scene.database().exec("ALTER TABLE river_job DETACH PARTITION river_job_p1");
  const Plan partly = scene.undo(result.run.id);
  CHECK(left_of(partly) == std::map<std::string, LeftOut::Why>{{"1", LeftOut::Why::changed_since},
                                                               {"2", LeftOut::Why::changed_since},
                                                               {"3", LeftOut::Why::changed_since}});
  CHECK(scene.apply(partly).run.applied == 1);
  scene.database().exec("ALTER TABLE river_job ATTACH PARTITION river_job_p1 FOR VALUES FROM (MINVALUE) TO (4)");
  CHECK(scene.apply(scene.undo(result.run.id)).run.applied == 3);
  CHECK(scene.rows("river_job") == before);
}

TEST_CASE("tasks of a partition that is attached after the plan are left to the next one") {
  RepairScene scene = scene_in({"river", "river_job", "id", "RANGE (id)", k_by_id, k_river_unique});
  scene.database().exec("ALTER TABLE river_job DETACH PARTITION river_job_p1");
  const Plan plan = scene.reconcile();
  CHECK(tasks_of(plan) == std::vector<std::string>{"5", "4"});
  scene.database().exec("ALTER TABLE river_job ATTACH PARTITION river_job_p1 FOR VALUES FROM (MINVALUE) TO (4)");
  CHECK(scene.apply(plan).applied == std::vector<std::string>{"4"});
  CHECK(scene.database().value("SELECT count(*) FROM river_job_p1 WHERE state = 'running'") == "3");
  CHECK(tasks_of(scene.reconcile()) == std::vector<std::string>{"1", "5", "2", "3"});
}

TEST_CASE("a partition that is being attached is not waited for by tasks of others") {
  RepairScene scene = scene_in({"river", "river_job", "id", "RANGE (id)", k_by_id, k_river_unique});
  scene.database().exec("CREATE TABLE late (LIKE river_job INCLUDING ALL)");
  const Plan plan = scene.reconcile();
  scene.database().exec("BEGIN; ALTER TABLE river_job ATTACH PARTITION late FOR VALUES FROM (100) TO (200)");
  const ApplyResult result = scene.apply(plan, {.count_statuses = false, .busy_wait = std::chrono::milliseconds{100}});
  scene.database().exec("COMMIT");
  CHECK(result.run.applied == 4);
  CHECK(result.run.failed == 1);
}

TEST_CASE("a partition that is being detached ends a run after the wait for locks") {
  RepairScene scene = scene_in({"river", "river_job", "id", "RANGE (id)", k_by_id, k_river_unique});
  const auto before = scene.rows("river_job");
  const Plan plan = scene.reconcile();
  scene.database().exec("BEGIN; ALTER TABLE river_job DETACH PARTITION river_job_p1");
  const auto begin = std::chrono::steady_clock::now();
  const ApplyResult result = scene.apply(plan, {.count_statuses = false, .busy_wait = std::chrono::milliseconds{100}});
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds{30});
  CHECK(result.locked_out);
  CHECK(result.run.busy == static_cast<std::int64_t>(plan.size()));
  scene.database().exec("ROLLBACK");
  CHECK(scene.rows("river_job") == before);
  CHECK(scene.apply(plan).run.applied == 4);
}

TEST_CASE("triggers of a partition and of statements are named in the plan") {
  RepairScene scene = scene_of(
      system_named("river"),
      cut(k_river_by_state) +
          "CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
          "CREATE TRIGGER of_rows AFTER UPDATE ON river_job FOR EACH ROW EXECUTE FUNCTION look();"
          "CREATE TRIGGER of_statements AFTER UPDATE ON river_job FOR EACH STATEMENT EXECUTE FUNCTION look();"
          "CREATE TRIGGER of_part AFTER INSERT ON river_job_p2 FOR EACH ROW EXECUTE FUNCTION look();"
          // None of these ever fires: a part is not named by our statements, nothing is emptied, this one is off.
          "CREATE TRIGGER part_statement AFTER UPDATE ON river_job_p2 FOR EACH STATEMENT EXECUTE FUNCTION look();"
          "CREATE TRIGGER emptied AFTER TRUNCATE ON river_job FOR EACH STATEMENT EXECUTE FUNCTION look();"
          "CREATE TRIGGER off AFTER UPDATE ON river_job FOR EACH ROW EXECUTE FUNCTION look();"
          "ALTER TABLE river_job DISABLE TRIGGER off;");
  const Plan plan = scene.reconcile();
  REQUIRE(plan.warnings.size() == 1);
  CHECK_THAT(plan.warnings[0], Contains("(of_part, of_rows, of_statements)"));
}
