#include <catch2/catch.hpp>

#include "engine/judge_scene.hpp"

using namespace taskctl;
using namespace taskctl::test;
using Kind = LivenessSource::Kind;

namespace {

constexpr auto k_one_tick = std::chrono::microseconds{1};

}  // namespace

TEST_CASE("without sources nothing is known") {
  CHECK(Scene{}.liveness().liveness == Liveness::unknown);
}

TEST_CASE("a lease that runs is alive and one that ended is dead after its grace") {
  Scene scene;
  scene.add_source(Kind::lease, 0s);
  const auto said = [&](const TimeFact& lease) {
    scene.times().lease = lease;
    return scene.liveness().liveness;
  };
  CHECK(said({}) == Liveness::unknown);
  CHECK(said(unreadable()) == Liveness::unknown);
  CHECK(said(ago(-1h)) == Liveness::alive);
  CHECK(said(ago(0s)) == Liveness::alive);
  CHECK(said(ago(k_one_tick)) == Liveness::dead);
  scene.profile.liveness[0].timeout = 30s;
  CHECK(said(ago(30s)) == Liveness::alive);
  CHECK(said(ago(30s + k_one_tick)) == Liveness::dead);
}

TEST_CASE("a deadline says nothing until it has passed") {
  Scene scene;
  scene.add_source(Kind::lease, 0s).alive_before_end = false;
  scene.times().lease = ago(-1min);
  CHECK(scene.liveness().liveness == Liveness::unknown);
  scene.times().lease = ago(1min);
  CHECK(scene.liveness().liveness == Liveness::dead);
}

TEST_CASE("a heartbeat on the row is alive up to its timeout and a missing one is the oldest") {
  Scene scene;
  scene.add_source(Kind::heartbeat, 2min);
  const auto said = [&](const TimeFact& beat) {
    scene.times().heartbeat = beat;
    return scene.liveness().liveness;
  };
  CHECK(said({}) == Liveness::dead);
  CHECK(said(unreadable()) == Liveness::unknown);
  CHECK(said(ago(2min)) == Liveness::alive);
  CHECK(said(ago(2min + k_one_tick)) == Liveness::dead);
  CHECK(said(ago(-1h)) == Liveness::alive);
  scene.become(TaskClass::queued);
  CHECK(said({}) == Liveness::unknown);
}

TEST_CASE("a worker table knows its workers by their rows") {
  Scene scene;
  scene.add_source(Kind::table, 2min);
  auto& fact = scene.facts.liveness[0];
  CHECK(scene.liveness().liveness == Liveness::dead);
  CHECK(scene.liveness().sources[0].source == "agents");
  CHECK(scene.liveness().sources[0].text == "worker w1 has no row in agents");
  scene.profile.liveness[0].missing_is_dead = false;
  CHECK(scene.liveness().liveness == Liveness::unknown);
  fact.row_found = true;
  CHECK(scene.liveness().liveness == Liveness::dead);
  fact.heartbeat = unreadable();
  CHECK(scene.liveness().liveness == Liveness::unknown);
  fact.heartbeat = ago(2min);
  CHECK(scene.liveness().liveness == Liveness::alive);
  CHECK(scene.liveness().sources[0].text == "worker w1: last_ping_at 2m ago");
  fact.heartbeat = ago(2min + k_one_tick);
  CHECK(scene.liveness().liveness == Liveness::dead);
  for (const std::optional<std::string>& nobody : {std::optional<std::string>{}, std::optional<std::string>{""}}) {
    scene.facts.task.worker = nobody;
    CHECK(scene.liveness().liveness == Liveness::unknown);
  }
}

TEST_CASE("a query of the profile says alive or dead or nothing") {
  Scene scene;
  scene.add_verdict(Liveness::unknown);
  auto& verdict = scene.facts.liveness[0].verdict;
  CHECK(scene.liveness().liveness == Liveness::unknown);
  verdict = "alive";
  CHECK(scene.liveness().liveness == Liveness::alive);
  verdict = "dead";
  CHECK(scene.liveness().liveness == Liveness::dead);
  verdict = "ALIVE?";
  CHECK(scene.liveness().liveness == Liveness::unknown);
}

TEST_CASE("alive when any source says so and dead when one does and none says alive") {
  const auto all = {Liveness::alive, Liveness::dead, Liveness::unknown};
  for (const auto first : all) {
    for (const auto second : all) {
      for (const auto third : all) {
        CAPTURE(to_string(first), to_string(second), to_string(third));
        Scene scene;
        int alive = 0;
        int dead = 0;
        for (const auto says : {first, second, third}) {
          scene.add_verdict(says);
          alive += says == Liveness::alive ? 1 : 0;
          dead += says == Liveness::dead ? 1 : 0;
        }
        const auto expected = alive > 0 ? Liveness::alive : dead > 0 ? Liveness::dead : Liveness::unknown;
        const LivenessVerdict verdict = scene.liveness();
        CHECK(verdict.liveness == expected);
        CHECK(verdict.says == std::vector<Liveness>{first, second, third});
        CHECK_FALSE(verdict.suspect);
      }
    }
  }
}

TEST_CASE("a worker table is suspect when none of two or more is alive or rows are hidden") {
  struct Row {
    WorkerCensus census;
    bool stale_suspect;    ///< of a worker whose row is old
    bool missing_suspect;  ///< of a worker without a row
  };
  for (const auto& [census, stale_suspect, missing_suspect] :
       {Row{{0, 0}, false, true}, Row{{1, 0}, false, true}, Row{{1, 1}, false, false}, Row{{2, 0}, true, true},
        Row{{2, 1}, false, false}, Row{{9, 0}, true, true}, Row{{9, 8, true}, true, true}}) {
    CAPTURE(census.known, census.alive);
    Scene scene;
    scene.add_source(Kind::table);
    scene.workers[0] = census;
    CHECK(scene.liveness().liveness == Liveness::dead);
    CHECK(scene.liveness().suspect == missing_suspect);
    scene.facts.liveness[0] = {.row_found = true, .heartbeat = ago(1h), .verdict = {}};
    CHECK(scene.liveness().liveness == Liveness::dead);
    CHECK(scene.liveness().suspect == stale_suspect);
  }
}

TEST_CASE("only the number of workers in its own table makes a source suspect") {
  Scene scene;
  scene.add_verdict(Liveness::dead);
  scene.workers.resize(1);
  CHECK(scene.liveness().liveness == Liveness::dead);
  CHECK_FALSE(scene.liveness().suspect);
}

TEST_CASE("a trusted source beside a suspect one is enough to be dead") {
  Scene scene;
  scene.add_source(Kind::table);
  scene.workers[0] = {2, 0};
  scene.add_verdict(Liveness::unknown);
  CHECK(scene.liveness().suspect);
  scene.facts.liveness[1].verdict = "dead";
  CHECK_FALSE(scene.liveness().suspect);
  CHECK(scene.finding().certainty == Certainty::probable);
  scene.standby_lags = true;
  CHECK(scene.liveness().suspect);
  scene.facts.liveness[1].verdict = "alive";
  CHECK_FALSE(scene.liveness().suspect);
  CHECK(scene.liveness().liveness == Liveness::alive);
}

TEST_CASE("a person who calls a worker dead is believed where no source says that it is alive") {
  Scene scene;
  scene.add_source(Kind::lease, 0s);
  scene.facts.task.worker = "w1";
  scene.policy.presumed_dead = "w1";
  CHECK(scene.liveness().liveness == Liveness::dead);
  CHECK(scene.liveness().presumed);
  CHECK(scene.liveness().suspect);
  CHECK(scene.liveness().sources.back().source == "--force");
  scene.times().lease = ago(-1h);
  CHECK(scene.liveness().liveness == Liveness::alive);
  CHECK_FALSE(scene.liveness().presumed);
  scene.times().lease = ago(1h);
  CHECK_FALSE(scene.liveness().suspect);
  scene.facts.task.worker = "w2";
  scene.times().lease = {};
  CHECK(scene.liveness().liveness == Liveness::unknown);
}

TEST_CASE("whoever is named from outside is alive and whoever is not may be") {
  Scene scene;
  scene.add_verdict(Liveness::dead);
  scene.facts.task.worker = "w1";
  auto list = std::make_shared<AliveList>();
  scene.policy.alive = list;
  list->names = {"w2"};
  CHECK(scene.liveness().liveness == Liveness::dead);
  CHECK(scene.liveness().sources.back().source == "--alive-from");
  list->names = {"w1"};
  CHECK(scene.liveness().liveness == Liveness::alive);
  list->names = {"7"};  // the task's id
  CHECK(scene.liveness().liveness == Liveness::alive);
  scene.facts.task.worker.reset();
  CHECK(scene.liveness().liveness == Liveness::alive);
  scene.policy.presumed_dead = "w1";
  scene.facts.task.worker = "w1";
  CHECK(scene.liveness().liveness == Liveness::alive);
}

TEST_CASE("nobody is dead while who is alive is unknown") {
  Scene scene;
  scene.add_verdict(Liveness::dead);
  scene.facts.task.worker = "w1";
  scene.policy.alive = std::make_shared<AliveList>(AliveList{.source = "kubectl", .names = {}, .problem = "it failed"});
  CHECK(scene.liveness().liveness == Liveness::unknown);
  CHECK(scene.finding().rule == Rule::overdue);
  scene.facts.liveness[0].verdict = "alive";
  CHECK(scene.liveness().liveness == Liveness::alive);
}
