#include <catch2/catch.hpp>

#include "contract/repair_scene.hpp"

using namespace taskctl;
using namespace taskctl::test;

namespace {

/// Tasks 1 to 4 have used two of three attempts, and requeueing sets the attempts to this.
RepairScene attempts_scene(Engine engine, const std::string& sets_tries_to, const std::string& more = {}) {
  std::string profile = k_queue_profile;
  const auto replace = [&profile](const std::string& text, const std::string& by) {
    profile.replace(profile.find(text), text.size(), by);
  };
  replace("status = \"state\"\n", "status = \"state\"\nattempts = { used = \"tries\", limit = \"allowed\" }\n");
  replace("overdue       = \"failed\"", "overdue = \"requeued\"");
  profile +=
      "\n[[outcome.requeued.op]]\ndo = \"update\"\nset = { state = \"'queued'\", tries = \"" + sets_tries_to + "\" }\n";
  return {temp_database(engine, queue_sql(engine, 4) +
                                    "ALTER TABLE tasks ADD COLUMN tries integer DEFAULT 2;"
                                    "ALTER TABLE tasks ADD COLUMN allowed integer DEFAULT 3;" +
                                    more),
          parse_profile(profile, "queue.toml"), k_queue_now};
}

std::vector<Outcome> outcomes_of(const Plan& plan) {
  std::vector<Outcome> outcomes;
  plan.for_each([&](std::size_t, const PlanUnit& unit) { outcomes.push_back(unit.finding->outcome); });
  return outcomes;
}

const std::vector<Outcome> k_all_failed(4, Outcome::failed);
const std::vector<Outcome> k_all_requeued(4, Outcome::requeued);

}  // namespace

TEST_CASE("the last attempt that requeueing counts is seen whatever expression counts it") {
  const auto engine = GENERATE(Engine::sqlite, Engine::postgres);
  const std::string counts = GENERATE(as<std::string>{}, "tries + 1", "1 + tries", "coalesce(tries, 0) + 1",
                                      "CASE WHEN tries < 0 THEN 0 ELSE tries + 1 END", "allowed", ":task.tries + 1",
                                      "(SELECT count(*) + 2 FROM owners o WHERE o.name = :task.owner)");
  INFO(counts);
  RepairScene scene = attempts_scene(engine, counts);
  CHECK(outcomes_of(scene.reconcile()) == k_all_failed);
}

TEST_CASE("requeueing that counts no attempt gives the task back") {
  const auto engine = GENERATE(Engine::sqlite, Engine::postgres);
  const std::string counts = GENERATE(as<std::string>{}, "tries", "0", "tries - 1", "NULL",
                                      "CASE WHEN tries > 2 THEN tries + 1 ELSE tries END",
                                      // What it is called is known only when it is written.
                                      "tries + length(:reason)");
  INFO(counts);
  RepairScene scene = attempts_scene(engine, counts);
  CHECK(outcomes_of(scene.reconcile()) == k_all_requeued);
}

TEST_CASE("each row decides whether requeueing counts an attempt") {
  const auto engine = GENERATE(Engine::sqlite, Engine::postgres);
  RepairScene scene = attempts_scene(engine, "CASE owner WHEN 'o2' THEN tries ELSE tries + 1 END",
                                     "UPDATE tasks SET tries = 1 WHERE id = 4");
  const Plan plan = scene.reconcile();
  CHECK(outcomes_of(plan) == std::vector{Outcome::failed, Outcome::requeued, Outcome::failed, Outcome::requeued});
  CHECK(plan.unit(0).finding->evidence.back().text.find("3 of 3 attempts are spent when this one is counted") == 0);
  // Decided anew as the row is when it is written.
  scene.database().exec("UPDATE tasks SET owner = 'o2' WHERE id = 1");
  const ApplyResult result = scene.apply(plan);
  CHECK(report_on(result, "1").result == UnitResult::conflict);
  CHECK(scene.state_of("2") == "queued");
  CHECK(scene.state_of("3") == "failed");
  CHECK(scene.database().value("SELECT tries FROM tasks WHERE id = 4") == "2");
}

TEST_CASE("attempts at the end of what a number can be do not end the listing") {
  const auto engine = GENERATE(Engine::sqlite, Engine::postgres);
  RepairScene scene = attempts_scene(engine, "tries + 1",
                                     "UPDATE tasks SET tries = 2147483647, allowed = 2147483647 WHERE id = 1;"
                                     "UPDATE tasks SET tries = 2147483647, allowed = NULL WHERE id = 2;"
                                     "UPDATE tasks SET tries = NULL WHERE id = 3");
  const Listing listing = list_stuck(scene.store(), {.selector = {}, .policy = scene.policy, .now = scene.now});
  CHECK(listing.summary.stuck == 4);
}
