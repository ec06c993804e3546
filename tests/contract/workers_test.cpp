#include "engine/workers.hpp"

#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "contract/worker_scene.hpp"

using namespace taskctl;
using namespace taskctl::test;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;

namespace {

WorkerSurvey survey(RepairScene& scene, std::vector<std::string> names = {}) {
  return survey_workers(scene.store(), {.names = std::move(names), .policy = scene.policy, .now = scene.now});
}

std::vector<std::string> names_of(const WorkerSurvey& survey) {
  std::vector<std::string> names;
  for (const auto& [name, worker] : survey.workers) {
    names.push_back(name);
  }
  return names;
}

std::vector<std::string> ids_of(const WorkerSurvey& survey, const std::string& name) {
  std::vector<std::string> ids;
  survey.for_each_id(survey.workers.at(name), [&ids](const std::string& id) { ids.push_back(id); });
  std::ranges::sort(ids, {}, [](const std::string& id) { return std::stoi(id); });
  return ids;
}

}  // namespace

TEST_CASE("workers are those of their table and of active tasks with what they hold") {
  auto scene = crew_scene(GENERATE(from_range(test::engines())));
  const WorkerSurvey all = survey(scene);
  CHECK(names_of(all) == std::vector<std::string>{"gone", "idle", "live", "stranger"});
  CHECK(all.unassigned == 1);

  const WorkerInfo& gone = all.workers.at("gone");
  CHECK(gone.liveness.liveness == Liveness::dead);
  CHECK_FALSE(gone.liveness.suspect);
  CHECK(gone.registered);
  CHECK(all.now - *gone.heartbeat == 3h);
  CHECK(gone.held == 3);
  CHECK(gone.stuck == 3);
  CHECK(all.now - *gone.oldest == 2h);
  CHECK(ids_of(all, "gone") == std::vector<std::string>{"3", "4", "5"});

  const WorkerInfo& live = all.workers.at("live");
  CHECK(live.liveness.liveness == Liveness::alive);
  CHECK(live.held == 2);
  CHECK(live.stuck == 1);

  const WorkerInfo& stranger = all.workers.at("stranger");
  CHECK(stranger.liveness.liveness == Liveness::unknown);
  CHECK_FALSE(stranger.registered);
  CHECK_FALSE(stranger.heartbeat);
  CHECK(all.workers.at("idle").held == 0);
}

TEST_CASE("accounts of workers show what is allocated and what is real") {
  auto scene = crew_scene(GENERATE(from_range(test::engines())));
  const WorkerSurvey all = survey(scene);
  const auto account = [&](const std::string& name) { return all.workers.at(name).accounts.at(0); };
  CHECK(account("live").right);
  CHECK(account("gone").right);
  CHECK(account("idle").column == "used");
  CHECK(to_display(account("idle").allocated) == "9");
  CHECK(to_display(account("idle").real) == "0");
  CHECK_FALSE(account("idle").right);
  CHECK(all.workers.at("stranger").accounts.empty());
}

TEST_CASE("only the workers that are asked for are read") {
  auto scene = crew_scene(GENERATE(from_range(test::engines())));
  CHECK(names_of(survey(scene, {"stranger", "idle"})) == std::vector<std::string>{"idle", "stranger"});
  CHECK(survey(scene, {"gone"}).workers.at("gone").held == 3);
  CHECK(survey(scene, {"gone"}).unassigned == 0);
  CHECK(names_of(survey(scene, {"nobody", "gon", "GONE", ""})).empty());
}

TEST_CASE("a worker is alive while one of its tasks has a lease that runs") {
  auto scene = crew_scene(GENERATE(from_range(test::engines())),
                          "UPDATE tasks SET lease_until = '2025-06-01 12:10:00' WHERE id = 4;"
                          "UPDATE tasks SET lease_until = '2025-06-01 11:00:00' WHERE id IN (3, 6);");
  const WorkerSurvey all = survey(scene);
  CHECK(all.workers.at("gone").liveness.liveness == Liveness::alive);
  CHECK_THAT(liveness_words(all.workers.at("gone").liveness, Liveness::alive),
             Contains("task 4: lease_until ends in 10m"));
  CHECK(all.workers.at("stranger").liveness.liveness == Liveness::dead);
  CHECK_FALSE(all.workers.at("stranger").liveness.suspect);
}

TEST_CASE("when no worker of a table is alive its word is suspect") {
  auto scene = crew_scene(GENERATE(from_range(test::engines())),
                          "UPDATE nodes SET beat_at = '2025-06-01 09:00:00' WHERE name = 'live';");
  const WorkerSurvey all = survey(scene);
  CHECK(all.workers.at("live").liveness.liveness == Liveness::dead);
  CHECK(all.workers.at("live").liveness.suspect);
  REQUIRE(all.warnings.size() == 1);
  CHECK_THAT(all.warnings[0], Contains("none of the 3 workers in 'nodes' is alive"));
}

TEST_CASE("every id of a worker that holds very many is kept") {
  const auto engine = GENERATE(from_range(test::engines()));
  std::string more;
  for (int i = 100; i < 300; ++i) {
    more += "INSERT INTO tasks (id, state, started_at, node) VALUES (" + std::to_string(i) +
            ", 'running', '2025-06-01 11:50:00', 'busy');";
  }
  auto scene = crew_scene(engine, more);
  const WorkerSurvey all = survey(scene);
  const std::vector<std::string> ids = ids_of(all, "busy");
  REQUIRE(ids.size() == 200);
  CHECK(ids.front() == "100");
  CHECK(ids.back() == "299");
  CHECK(all.workers.at("busy").held == 200);
}

TEST_CASE("a worker with an odd name and a beat that cannot be read is unknown") {
  auto scene = crew_scene(GENERATE(from_range(test::engines())),
                          "INSERT INTO nodes VALUES ('it''s \"odd\"', 'soon', 0);"
                          "UPDATE tasks SET node = 'it''s \"odd\"' WHERE id = 10;");
  const WorkerSurvey all = survey(scene, {"it's \"odd\""});
  const WorkerInfo& odd = all.workers.at("it's \"odd\"");
  CHECK(odd.liveness.liveness == Liveness::unknown);
  CHECK(odd.registered);
  CHECK_FALSE(odd.heartbeat);
  CHECK(odd.held == 1);
}

TEST_CASE("a profile that names no worker has none to list") {
  auto scene = queue_scene(GENERATE(from_range(test::engines())), 1);
  CHECK_THROWS_WITH(survey(scene), Contains("does not say which worker has a task"));
}

TEST_CASE("the cluster fixture has a dead worker and accounts that are wrong") {
  RepairScene scene{temp_postgres(fixture("cluster.postgres.sql")), find_profile("cluster"), "2025-11-16T13:20:00Z"};
  const WorkerSurvey all = survey(scene);
  CHECK(all.workers.size() == 3);
  CHECK(all.unassigned == 1);
  CHECK(all.workers.at("worker-1").held == 2);
  CHECK(all.workers.at("worker-1").stuck == 1);
  CHECK(all.workers.at("worker-2").liveness.liveness == Liveness::dead);
  CHECK(all.workers.at("worker-2").held == 1);
  CHECK(all.workers.at("worker-3").accounts.size() == 8);
  CHECK(std::ranges::count(all.workers.at("worker-3").accounts, false, &WorkerAccount::right) == 2);
}
