#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "contract/repair_scene.hpp"
#include "engine/profile_choice.hpp"

namespace taskctl::test {

inline const std::string k_clock = "2026-06-01T12:00:00Z";

/// A system that somebody else made: a stuck job of its fixture, and what its worker writes when it is done after all.
struct System {
  std::string profile, fixture, table, stuck, finish;
  Engine engine = Engine::postgres;
};

inline const std::vector<System>& systems() {
  static const std::vector<System> k_systems{
      {"oban", "oban.postgres.sql", "oban_jobs", "1",
       "UPDATE oban_jobs SET state = 'completed', completed_at = now() AT TIME ZONE 'UTC' WHERE id = 1"},
      {"procrastinate", "procrastinate.postgres.sql", "procrastinate_jobs", "1",
       "UPDATE procrastinate_jobs SET status = 'succeeded', attempts = attempts + 1 WHERE id = 1"},
      {"good-job", "good_job.postgres.sql", "good_jobs", "00000000-0000-0000-0000-000000000001",
       "UPDATE good_jobs SET finished_at = now() AT TIME ZONE 'UTC', locked_by_id = NULL, locked_at = NULL WHERE id = "
       "'00000000-0000-0000-0000-000000000001'"},
      {"river", "river.postgres.sql", "river_job", "1",
       "UPDATE river_job SET state = 'completed', finalized_at = now() WHERE id = 1"},
      {"river", "river.sqlite.sql", "river_job", "1",
       "UPDATE river_job SET state = 'completed', finalized_at = '2026-06-01 12:00:00' WHERE id = 1", Engine::sqlite},
      {"solid-queue", "solid_queue.postgres.sql", "solid_queue_claimed_executions", "1",
       "BEGIN; UPDATE solid_queue_jobs SET finished_at = '2026-06-01 12:00:00' WHERE id = 1; DELETE FROM "
       "solid_queue_claimed_executions WHERE job_id = 1; COMMIT"},
      {"solid-queue", "solid_queue.sqlite.sql", "solid_queue_claimed_executions", "1",
       "BEGIN; UPDATE solid_queue_jobs SET finished_at = '2026-06-01 12:00:00.000000' WHERE id = 1; DELETE FROM "
       "solid_queue_claimed_executions WHERE job_id = 1; COMMIT",
       Engine::sqlite},
  };
  return k_systems;
}

inline RepairScene scene_of(const System& system, const std::string& more = {}) {
  auto database = temp_database(system.engine, fixture(system.fixture));
  if (!more.empty()) {
    database->exec(more);
  }
  Profile profile = choose_profile(*database->open(Access::read));
  return {std::move(database), std::move(profile), k_clock};
}

/// The first of that name: on PostgreSQL.
inline const System& system_named(const std::string& profile) {
  return *std::ranges::find(systems(), profile, &System::profile);
}

}  // namespace taskctl::test
