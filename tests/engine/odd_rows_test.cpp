#include <catch2/catch.hpp>

#include "engine/judge_scene.hpp"

using namespace taskctl;
using namespace taskctl::test;

namespace {

constexpr Duration k_microsecond{1};

}  // namespace

TEST_CASE("more attempts than allowed are said of every class and repaired of queued tasks only") {
  Scene scene;
  scene.become(TaskClass::queued);
  scene.facts.task.attempts_used = 4;
  scene.facts.task.attempts_limit = 3;
  CHECK(scene.rule() == "fine");
  scene.profile.enabled_rules = {Rule::attempts_over_limit};
  CHECK(scene.rule() == "attempts-over-limit");
  CHECK(scene.finding().repair == Repair::never);
  CHECK(scene.finding().outcome == Outcome::unchanged);
  scene.profile.rule_operations[Rule::attempts_over_limit] = {{}};
  CHECK(scene.finding().repair == Repair::yes);
  CHECK(scene.finding().outcome == Outcome::failed);
  scene.policy.outcome = Outcome::succeeded;
  CHECK(scene.finding().outcome == Outcome::failed);
  scene.profile.safety = Safety::release_only;
  CHECK(scene.finding().repair == Repair::never);
  scene.profile.safety = Safety::full;
  for (const TaskClass other : {TaskClass::active, TaskClass::parked, TaskClass::failed, TaskClass::succeeded}) {
    scene.become(other);
    scene.policy.max_age = 5h;
    CHECK(scene.rule() == "attempts-over-limit");
    CHECK(scene.finding().repair == Repair::never);
  }
  scene.facts.task.task_class = std::nullopt;
  CHECK(scene.rule() == "fine");
  scene.become(TaskClass::queued);
  scene.times().updated = ago(1min);
  CHECK(scene.rule() == "fine");
  scene.times().updated = ago(1min + k_microsecond);
  CHECK(scene.rule() == "attempts-over-limit");
  scene.facts.task.attempts_used = 3;
  CHECK(scene.rule() == "fine");
  scene.facts.task.attempts_limit = std::nullopt;
  CHECK(scene.rule() == "fine");
}

TEST_CASE("a start after the end is the weakest thing to say of a task") {
  Scene scene;
  scene.profile.enabled_rules = {Rule::started_after_finished};
  scene.become(TaskClass::failed);
  scene.times().finished = ago(2h);
  CHECK(scene.rule() == "fine");
  scene.times().finished = ago(2h + k_microsecond);
  CHECK(scene.rule() == "started-after-finished");
  CHECK(scene.finding().certainty == Certainty::certain);
  CHECK(scene.finding().outcome == Outcome::failed);
  CHECK(scene.finding().repair == Repair::never);
  scene.profile.rule_operations[Rule::started_after_finished] = {{}};
  CHECK(scene.finding().repair == Repair::yes);
  scene.become(TaskClass::active);
  CHECK(scene.finding().rule == Rule::overdue);
  CHECK(scene.finding().also == std::vector<Rule>{Rule::started_after_finished});
  scene.policy.max_age = 3h;
  CHECK(scene.rule() == "started-after-finished");
  CHECK(scene.finding().repair == Repair::never);
}
