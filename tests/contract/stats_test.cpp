#include "engine/stats.hpp"

#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "contract/listing_scene.hpp"
#include "contract/worker_scene.hpp"

using namespace taskctl;
using namespace taskctl::test;

namespace {

template <typename Scene>
Stats stats_of(Scene& scene, const Policy& policy, std::optional<Instant> now) {
  return collect_stats(scene.store(), {.policy = policy, .now = now});
}
Stats stats_of(RepairScene& scene) {
  return stats_of(scene, scene.policy, scene.now);
}
Stats stats_of(ListingScene& scene) {
  return stats_of(scene, scene.request.policy, scene.request.now);
}

std::int64_t count_of(const Stats& stats, TaskClass task_class) {
  std::int64_t count = 0;
  for (const StatusCount& entry : stats.statuses) {
    count += entry.task_class == task_class ? entry.count : 0;
  }
  return count;
}

using Counts = std::array<std::int64_t, AgeHistogram::k_bounds.size() + 1>;

}  // namespace

TEST_CASE("figures of one snapshot agree with each other and with the list of what is stuck") {
  auto scene = crew_scene(GENERATE(from_range(test::engines())));
  const Stats stats = stats_of(scene);
  CHECK(count_of(stats, TaskClass::active) == 8);
  CHECK(stats.active.ages.total == 8);
  CHECK(count_of(stats, TaskClass::queued) == 1);
  CHECK(stats.queued.ages.total == 1);
  // 1m  5m  15m 1h  6h: two of 2 min, one of 5 and one of 10 min, four of 2 h; the queued one of 30 s.
  CHECK(stats.active.ages.counts == Counts{0, 2, 2, 0, 4, 0, 0, 0});
  CHECK(stats.queued.ages.counts == Counts{1, 0, 0, 0, 0, 0, 0, 0});
  CHECK(stats.queued.oldest->key.text() == "8");
  CHECK(stats.now - stats.active.oldest->since == std::chrono::hours{2});
  const Listing listing = list_stuck(
      scene.store(), {.selector = scene.selector, .policy = scene.policy, .now = scene.now, .include_fine = true});
  CHECK(stats.findings.stuck == listing.summary.stuck);
  CHECK(stats.findings.fine == listing.summary.fine);
  CHECK(stats.stuck_by_rule ==
        std::map<Rule, std::int64_t>{
            {Rule::contradiction, 2}, {Rule::dead, 2}, {Rule::overdue, 1}, {Rule::accounts_wrong, 1}});
  CHECK(stats.stuck_by_kind.counts == std::map<std::optional<std::string>, std::int64_t>{{"build", 2}, {"test", 3}});
  CHECK(stats.stuck_by_worker.counts ==
        std::map<std::optional<std::string>, std::int64_t>{{"gone", 3}, {"live", 1}, {"stranger", 1}});
}

TEST_CASE("ages fall into buckets by their bounds and what has none is counted apart") {
  auto scene = crew_scene(GENERATE(from_range(test::engines())),
                          "DELETE FROM tasks;"
                          "INSERT INTO tasks (id, state, created_at) VALUES (1, 'queued', '2025-06-01 11:59:01'),"
                          "(2, 'queued', '2025-06-01 11:59:00'), (3, 'queued', '2025-06-01 06:00:00'),"
                          "(4, 'queued', '2025-05-25 12:00:01'), (5, 'queued', '2025-05-25 12:00:00'),"
                          "(6, 'queued', '2025-06-01 12:01:00'), (7, 'queued', '2025-06-01 12:01:01'),"
                          "(8, 'queued', 'soon'), (9, 'queued', NULL);"
                          "INSERT INTO tasks (id, state, created_at) VALUES (10, 'odd', '2025-06-01 11:00:00');");
  const Stats stats = stats_of(scene);
  CHECK(stats.queued.ages.counts == Counts{2, 1, 0, 0, 0, 1, 1, 1});
  CHECK(stats.queued.ages.future == 1);
  CHECK(stats.queued.ages.unknown == 2);
  CHECK(stats.queued.ages.total == 9);
  CHECK(stats.queued.oldest->key.text() == "5");
  CHECK(stats.active.ages.total == 0);
  CHECK_FALSE(stats.active.oldest);
  CHECK(std::ranges::count(stats.statuses, std::optional<TaskClass>{}, &StatusCount::task_class) == 1);
}

TEST_CASE("a queued task that was started before waits since it was queued again") {
  auto scene = crew_scene(GENERATE(from_range(test::engines())),
                          "UPDATE tasks SET created_at = '2025-06-01 08:00:00', started_at = '2025-06-01 11:00:00' "
                          "WHERE id = 8;");
  CHECK(stats_of(scene).queued.oldest->since == parse_instant("2025-06-01T11:00:00Z", "test"));
}

TEST_CASE("an empty table has figures that are all zero") {
  auto scene = crew_scene(GENERATE(from_range(test::engines())), "DELETE FROM tasks; DELETE FROM nodes;");
  const Stats stats = stats_of(scene);
  CHECK(stats.statuses.empty());
  CHECK(stats.findings.stuck == 0);
  CHECK(stats.active.ages.total == 0);
}

TEST_CASE("a table that cannot be read is an error and not a zero") {
  const auto denied = [](const std::string& table) {
    return temp_postgres(fixture("workspace_tasks.postgres.sql") + only_reading() +
                         "DO $$ BEGIN EXECUTE format('REVOKE SELECT ON " + table +
                         " FROM %I', current_database() || '_reader'); END $$;");
  };
  for (const std::string table : {"agents", "workspaces"}) {
    INFO(table);
    ListingScene scene{denied(table), "workspace-tasks", "2025-11-07T20:00:00+08:00"};
    CHECK_THROWS_AS(stats_of(scene), Error);
  }
}

TEST_CASE("a database that is busy at first is counted once") {
  ListingScene scene{temp_sqlite(fixture("task_queue.sqlite.sql")), "task-queue", "2025-12-19T16:54:56+08:00"};
  scene.connection().be_busy(1);
  const Stats stats = stats_of(scene);
  CHECK(stats.active.ages.total == 8);
  CHECK(stats.active.ages.counts == Counts{0, 0, 0, 1, 1, 2, 4, 0});
  CHECK(stats.findings.stuck == 7);
  CHECK(stats.active.oldest->key.text() == "task_0048");
}
