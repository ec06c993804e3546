#include <catch2/catch.hpp>

#include "engine/judge_scene.hpp"

using namespace taskctl;
using namespace taskctl::test;
using Catch::Matchers::Contains;

namespace {

Scene plain_contradiction() {
  Scene scene;
  scene.times().finished = ago(1h);
  return scene;
}

Scene with_hazard(Scene scene) {
  scene.profile.hazards.push_back({"applying", {}, "ending it now can corrupt the state"});
  scene.facts.hazards = {true};
  return scene;
}

}  // namespace

TEST_CASE("the outcome is the default of the rule unless the command line says another") {
  Scene scene = plain_contradiction();
  CHECK(scene.finding().outcome == Outcome::cancelled);
  CHECK(scene.finding().repair == Repair::yes);
  scene.policy.outcome = Outcome::succeeded;
  CHECK(scene.finding().outcome == Outcome::succeeded);
  scene.policy.outcome.reset();
  scene.profile.defaults.clear();
  CHECK(scene.finding().outcome == Outcome::undecided);
  CHECK(scene.finding().repair == Repair::needs_outcome);
  CHECK_THAT(scene.finding().note, Contains("no default outcome for contradiction"));
}

TEST_CASE("what evidence was declared and not read stays undecided") {
  Scene scene = plain_contradiction();
  scene.profile.evidence.emplace_back();
  CHECK(scene.finding().outcome == Outcome::undecided);
  CHECK(scene.finding().repair == Repair::needs_outcome);
  CHECK_THAT(scene.finding().note, Contains("evidence"));
  scene.policy.outcome = Outcome::failed;
  CHECK(scene.finding().outcome == Outcome::failed);
  CHECK(scene.finding().repair == Repair::yes);
  scene.policy.outcome.reset();
  scene.facts.class_rule = 1;
  scene.profile.classes[1].outcome = Outcome::parked;
  CHECK(scene.finding().outcome == Outcome::parked);
  Scene dead;
  dead.profile.evidence.emplace_back();
  dead.add_verdict(Liveness::dead);
  CHECK(dead.finding().outcome == Outcome::undecided);
  dead.policy.evidence = false;
  CHECK(dead.finding().outcome == Outcome::failed);
}

TEST_CASE("a parked task that contradicts itself is left to a person") {
  Scene scene = plain_contradiction();
  scene.become(TaskClass::parked);
  CHECK(scene.finding().certainty == Certainty::certain);
  CHECK(scene.finding().outcome == Outcome::undecided);
  CHECK(scene.finding().repair == Repair::needs_outcome);
}

TEST_CASE("a cancel request from before the end says how a contradiction ended") {
  Scene scene = plain_contradiction();
  scene.profile.defaults["contradiction"] = Outcome::failed;
  scene.request_cancel(1h + 10s);
  CHECK(scene.finding().rule == Rule::contradiction);
  CHECK(scene.finding().outcome == Outcome::cancelled);
  CHECK(scene.finding().evidence.back().text == "cancel was requested 10s before it ended");
  scene.request_cancel(30min);
  CHECK(scene.finding().outcome == Outcome::failed);
  scene.facts.cancel_request.requested = unreadable();
  CHECK(scene.finding().outcome == Outcome::failed);
}

TEST_CASE("possible findings need a threshold from the command line or the reap age") {
  Scene scene;
  CHECK(scene.finding().repair == Repair::needs_max_age);
  scene.policy.reap = 2h + 1us;
  CHECK(scene.finding().repair == Repair::needs_max_age);
  scene.policy.reap = 2h;
  CHECK(scene.finding().repair == Repair::yes);
  scene.policy.reap.reset();
  scene.policy.max_age_given = true;
  CHECK(scene.finding().repair == Repair::yes);
  Scene queued;
  queued.become(TaskClass::queued);
  queued.times().started = {};
  queued.policy.queued_max_age = 1h;
  queued.policy.reap = 3h;
  CHECK(queued.finding().rule == Rule::waiting);
  CHECK(queued.finding().repair == Repair::yes);
}

TEST_CASE("the safety class of the profile bounds every repair") {
  Scene scene = plain_contradiction();
  scene.profile.safety = Safety::read_only;
  CHECK(scene.finding().repair == Repair::never);
  CHECK(scene.finding().certainty == Certainty::certain);
  scene.profile.safety = Safety::release_only;
  CHECK(scene.finding().repair == Repair::never);
  for (const Outcome outcome : {Outcome::released, Outcome::requeued, Outcome::parked}) {
    scene.policy.outcome = outcome;
    CHECK(scene.finding().repair == Repair::yes);
  }
}

TEST_CASE("a hazard of the profile stops every repair until it is accepted") {
  Scene queued;
  queued.become(TaskClass::queued);
  queued.request_cancel(1h);
  Scene dead;
  dead.add_verdict(Liveness::dead);
  for (const Scene& base : {plain_contradiction(), queued, dead}) {
    Scene scene = with_hazard(base);
    CHECK(scene.finding().hazards == std::vector<std::string>{"applying"});
    CHECK(scene.finding().repair == Repair::hazard);
    scene.policy.accepted_hazards = {"applying"};
    CHECK(scene.finding().hazards == std::vector<std::string>{"applying"});
    CHECK(scene.finding().repair == Repair::yes);
    scene.policy.accepted_hazards = {"young"};
    scene.facts.hazards = {false};
    CHECK(scene.finding().hazards.empty());
    CHECK(scene.finding().repair == Repair::yes);
  }
}

TEST_CASE("a young task is stopped from a possible repair only") {
  Scene scene;
  scene.policy.max_age = 2min;
  scene.policy.max_age_given = true;
  scene.times().started = ago(5min);
  CHECK(scene.finding().repair == Repair::yes);
  scene.times().started = ago(5min - 1us);
  CHECK(scene.finding().rule == Rule::overdue);
  CHECK(scene.finding().hazards == std::vector<std::string>{"young"});
  CHECK(scene.finding().repair == Repair::hazard);
  scene.policy.accepted_hazards = {"young"};
  CHECK(scene.finding().repair == Repair::yes);
  scene.policy.accepted_hazards.clear();
  scene.times().finished = ago(2min);
  CHECK(scene.finding().rule == Rule::contradiction);
  CHECK(scene.finding().repair == Repair::yes);
}

TEST_CASE("a living worker stops a cancel request and nothing that is over") {
  Scene scene;
  scene.add_verdict(Liveness::alive);
  scene.request_cancel(1h);
  CHECK(scene.finding().rule == Rule::cancel_requested);
  CHECK(scene.finding().certainty == Certainty::certain);
  CHECK(scene.finding().hazards == std::vector<std::string>{"alive"});
  CHECK(scene.finding().repair == Repair::hazard);
  scene.policy.accepted_hazards = {"alive"};
  CHECK(scene.finding().repair == Repair::yes);
  scene.policy.accepted_hazards.clear();
  scene.times().finished = ago(1h);
  CHECK(scene.finding().rule == Rule::contradiction);
  CHECK(scene.finding().repair == Repair::yes);
}

TEST_CASE("alive and young are hazards of active tasks only") {
  Scene scene;
  scene.add_verdict(Liveness::alive);
  scene.times().started = ago(1s);
  CHECK(hazards_of(scene.facts, scene.context()) == std::vector<std::string>{"alive", "young"});
  for (const auto task_class : {TaskClass::queued, TaskClass::parked, TaskClass::failed}) {
    scene.become(task_class);
    CHECK(hazards_of(scene.facts, scene.context()).empty());
  }
}

TEST_CASE("the reason is the given one or the request or the profile or our sentence") {
  Scene scene;
  const auto reason = [&](const std::string& given) {
    return reason_for(scene.finding(), scene.profile, given, k_now);
  };
  CHECK(reason("") == "ended as stuck: running for 2h without an end (overdue)");
  scene.profile.reasons["overdue"] = "took too long";
  CHECK(reason("") == "took too long");
  CHECK(reason("INC-1") == "INC-1");
  scene.request_cancel(1h);
  CHECK(reason("") == "Client disconnected");
  CHECK(reason("INC-1") == "INC-1");
  scene.facts.cancel_request.reason = "";
  CHECK(reason("") == "ended as stuck: a request to cancel it was not honoured (cancel-requested)");
  scene.facts.cancel_request = {};
  scene.profile.always_assigned = true;
  CHECK(reason("") == "put right: running for 2h without a worker (never-assigned)");
  scene.add_verdict(Liveness::dead);
  CHECK(reason("") == "ended as stuck: running for 2h, and its worker is dead (dead)");
  scene.times().finished = ago(1h);
  CHECK(reason("") == "ended as stuck: it had ended and was not marked as over (contradiction)");
}
