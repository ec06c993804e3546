#include "engine/evidence.hpp"

#include <catch2/catch.hpp>

#include "engine/facts_codec.hpp"
#include "engine/judge_scene.hpp"

using namespace taskctl;
using namespace taskctl::test;
using Catch::Matchers::Contains;

namespace {

/// Adds a source with a succeeded, a failed and a cancelled pattern that was read and found nothing.
EvidenceFact& add_evidence(Scene& scene, EvidenceSource::Kind kind, const std::string& table) {
  EvidenceSource source;
  source.kind = kind;
  source.table = table;
  source.patterns = {{"ok", Outcome::succeeded}, {"bad", Outcome::failed, true}, {"stop", Outcome::cancelled}};
  scene.profile.evidence.push_back(source);
  scene.facts.evidence.resize(scene.profile.evidence.size());
  EvidenceFact& fact = scene.facts.evidence.back();
  fact.read = true;
  return fact;
}

void say(EvidenceFact& fact, std::size_t pattern, const std::string& row = "id=5") {
  fact.pattern = pattern;
  fact.row = row;
  fact.excerpt = "it says so";
  fact.text = "the whole text";
}

Scene with_result(std::size_t pattern, Duration age) {
  Scene scene;
  EvidenceFact& fact = add_evidence(scene, EvidenceSource::Kind::result, "results");
  say(fact, pattern);
  fact.finished = ago(age);
  return scene;
}

Scene contradiction() {
  Scene scene;
  scene.times().finished = ago(1h);
  return scene;
}

}  // namespace

TEST_CASE("sources are asked in order and the first that decides wins") {
  Scene scene = contradiction();
  add_evidence(scene, EvidenceSource::Kind::result, "results");
  add_evidence(scene, EvidenceSource::Kind::log, "logs");
  CHECK(scene.finding().outcome == Outcome::cancelled);  // the default: no source says anything
  say(scene.facts.evidence[1], 0, "id=7");
  CHECK(scene.finding().outcome == Outcome::succeeded);
  CHECK(scene.finding().evidence.back().source == "logs");
  CHECK(scene.finding().evidence.back().text == "logs id=7 says 'it says so'");
  say(scene.facts.evidence[0], 1);
  CHECK(scene.finding().outcome == Outcome::failed);
  CHECK(scene.finding().evidence.back().text == "results id=5 says 'it says so'");
}

TEST_CASE("evidence comes before the cancel request and the request before the default") {
  Scene scene = contradiction();
  scene.profile.defaults["contradiction"] = Outcome::failed;
  add_evidence(scene, EvidenceSource::Kind::log, "logs");
  CHECK(scene.finding().outcome == Outcome::failed);
  scene.request_cancel(2h);
  CHECK(scene.finding().outcome == Outcome::cancelled);
  say(scene.facts.evidence[0], 0);
  CHECK(scene.finding().outcome == Outcome::succeeded);
  scene.policy.outcome = Outcome::failed;
  CHECK(scene.finding().outcome == Outcome::failed);
}

TEST_CASE("a declared cancel request has its own place among the sources") {
  Scene scene = contradiction();
  scene.request_cancel(2h);
  EvidenceSource request;
  request.kind = EvidenceSource::Kind::cancel_request;
  scene.profile.evidence.push_back(request);
  scene.facts.evidence.emplace_back();
  say(add_evidence(scene, EvidenceSource::Kind::log, "logs"), 0);
  CHECK(scene.finding().outcome == Outcome::cancelled);
  scene.request_cancel(10min);  // after it had ended
  CHECK(scene.finding().outcome == Outcome::succeeded);
}

TEST_CASE("evidence decides dead orphaned and overdue tasks and never a cancel request") {
  Scene dead;
  dead.add_verdict(Liveness::dead);
  Scene orphan;
  orphan.profile.always_assigned = true;
  for (Scene scene : {dead, orphan, Scene{}}) {
    say(add_evidence(scene, EvidenceSource::Kind::log, "logs"), 0);
    CHECK(scene.finding().outcome == Outcome::succeeded);
  }
  Scene requested;
  requested.request_cancel(1h);
  say(add_evidence(requested, EvidenceSource::Kind::log, "logs"), 0);
  CHECK(requested.finding().rule == Rule::cancel_requested);
  CHECK(requested.finding().outcome == Outcome::cancelled);
}

TEST_CASE("a request that is not yet due decides a task whose worker died") {
  Scene scene;
  scene.add_verdict(Liveness::dead);
  scene.request_cancel(1min);
  CHECK(scene.finding().rule == Rule::dead);
  CHECK(scene.finding().outcome == Outcome::cancelled);
}

TEST_CASE("a source that cannot be read leaves the outcome undecided unless an earlier one decides") {
  Scene scene = contradiction();
  add_evidence(scene, EvidenceSource::Kind::result, "results");
  add_evidence(scene, EvidenceSource::Kind::log, "logs").problem = "the role may not read 'logs'";
  CHECK(scene.finding().outcome == Outcome::undecided);
  CHECK(scene.finding().repair == Repair::needs_outcome);
  CHECK_THAT(scene.finding().note, Contains("the role may not read 'logs'"));
  say(scene.facts.evidence[0], 0);
  CHECK(scene.finding().outcome == Outcome::succeeded);
  CHECK(scene.finding().note.empty());
  scene.facts.evidence[0].pattern.reset();
  scene.policy.evidence = false;
  CHECK(scene.finding().outcome == Outcome::cancelled);
}

TEST_CASE("only a pattern that is marked gives its text as the reason") {
  Scene scene = contradiction();
  say(add_evidence(scene, EvidenceSource::Kind::log, "logs"), 1);
  CHECK(reason_for(scene.finding(), scene.profile, "", k_now) == "the whole text");
  CHECK(reason_for(scene.finding(), scene.profile, "INC-1", k_now) == "INC-1");
  scene.facts.evidence[0].pattern = 0;
  CHECK_THAT(reason_for(scene.finding(), scene.profile, "", k_now), Contains("(contradiction)"));
}

TEST_CASE("the end is the deciding evidence's or the row's own") {
  Scene scene = contradiction();
  CHECK(scene.finding().finished == k_now - 1h);
  EvidenceFact& fact = add_evidence(scene, EvidenceSource::Kind::result, "results");
  say(fact, 0);
  fact.finished = ago(90min);
  CHECK(scene.finding().finished == k_now - 90min);
  Scene overdue;
  CHECK_FALSE(overdue.finding().finished);
  overdue.times().finished = ago(3h);  // before its start: of an earlier attempt
  CHECK_FALSE(overdue.finding().finished);
}

TEST_CASE("result-over fires whatever the worker does") {
  for (const Liveness says : {Liveness::alive, Liveness::dead, Liveness::unknown}) {
    Scene scene = with_result(0, 1h);
    scene.add_verdict(says);
    CHECK(scene.finding().rule == Rule::result_over);
    CHECK(scene.finding().certainty == Certainty::certain);
    CHECK(scene.finding().outcome == Outcome::succeeded);
    CHECK(scene.finding().repair == Repair::yes);
    CHECK(scene.finding().finished == k_now - 1h);
    CHECK(scene.finding().evidence.size() == 1);
    CHECK_THAT(scene.verdict(Rule::result_over).why, Contains("results id=5 says 'it says so', 1h ago"));
  }
}

TEST_CASE("result-over needs an end that is settled and of this attempt") {
  CHECK(with_result(0, 1min).rule() != "result-over");
  CHECK(with_result(0, 1min + 1us).rule() == "result-over");
  CHECK(with_result(0, 2h).rule() == "result-over");
  CHECK(with_result(0, 2h + 1us).rule() != "result-over");
  CHECK(with_result(0, 2h + 1us).finding().outcome == Outcome::failed);  // of an earlier attempt: decides nothing
  CHECK(with_result(0, -1h).rule() != "result-over");
  Scene scene = with_result(0, 1h);
  scene.facts.evidence[0].finished = {};
  CHECK(scene.rule() != "result-over");
  scene = with_result(0, 1h);
  scene.facts.evidence[0].pattern.reset();
  CHECK(scene.rule() != "result-over");
  scene = with_result(0, 1h);
  scene.profile.evidence[0].patterns[0].outcome = Outcome::parked;
  CHECK(scene.rule() != "result-over");
  scene = with_result(0, 1h);
  scene.policy.evidence = false;
  CHECK(scene.rule() == "overdue");
  for (const TaskClass task_class : {TaskClass::queued, TaskClass::parked, TaskClass::failed}) {
    scene = with_result(0, 1h);
    scene.become(task_class);
    CHECK(scene.rule() == "fine");
  }
}

TEST_CASE("a cancel that was overwritten is found where the profile enables it") {
  Scene scene = with_result(2, 1h);
  scene.become(TaskClass::failed);
  scene.times().finished = ago(30min);
  CHECK(scene.rule() == "fine");
  scene.profile.enabled_rules = {Rule::cancel_overwritten};
  CHECK(scene.rule() == "cancel-overwritten");
  CHECK(scene.finding().certainty == Certainty::certain);
  CHECK(scene.finding().outcome == Outcome::cancelled);
  CHECK(scene.finding().finished == k_now - 1h);
  scene.policy.outcome = Outcome::failed;
  CHECK(scene.finding().outcome == Outcome::cancelled);
  scene.times().finished = ago(1min);
  CHECK(scene.rule() == "fine");  // it may be in the middle of a change
  scene.times().finished = ago(30min);
  scene.facts.evidence[0].pattern = 0;
  CHECK(scene.rule() == "fine");
  scene.facts.evidence[0].pattern = 2;
  for (const TaskClass task_class : {TaskClass::cancelled, TaskClass::queued}) {
    scene.become(task_class);
    CHECK(scene.rule() != "cancel-overwritten");
  }
}

TEST_CASE("several results of a task that is over are found where the profile enables it") {
  Scene scene = with_result(0, 1h);
  scene.become(TaskClass::succeeded);
  scene.times().finished = ago(1h);
  scene.facts.evidence[0].several = true;
  CHECK(scene.rule() == "fine");
  scene.profile.enabled_rules = {Rule::duplicate_result};
  CHECK(scene.rule() == "duplicate-result");
  CHECK(scene.finding().outcome == Outcome::succeeded);
  CHECK(scene.finding().repair == Repair::never);  // without operations of its own it is only reported
  scene.profile.rule_operations[Rule::duplicate_result];
  CHECK(scene.finding().repair == Repair::yes);
  scene.facts.evidence[0].several = false;
  CHECK(scene.rule() == "fine");
  scene.facts.evidence[0].several = true;
  scene.become(TaskClass::queued);
  scene.times().finished = {};
  CHECK(scene.rule() == "fine");
}

TEST_CASE("a task whose attempts are spent fails instead of being requeued") {
  Scene scene;
  scene.policy.outcome = Outcome::requeued;
  scene.facts.task.attempts_used = 2;
  scene.facts.task.attempts_limit = 3;
  CHECK(scene.finding().outcome == Outcome::requeued);
  scene.facts.task.attempts_used = 3;
  CHECK(scene.finding().outcome == Outcome::failed);
  CHECK_THAT(scene.finding().evidence.back().text, Contains("3 of 3 attempts are spent"));
  scene.facts.task.attempts_limit.reset();
  CHECK(scene.finding().outcome == Outcome::requeued);
}

TEST_CASE("an attempt that requeueing itself counts may be the last one") {
  Scene scene;
  scene.policy.outcome = Outcome::requeued;
  scene.facts.task.attempts_used = 2;
  scene.facts.task.attempts_limit = 3;
  const auto outcome_with = [&scene](std::optional<std::int64_t> requeued) {
    scene.facts.attempts_requeued = requeued;
    return scene.finding().outcome;
  };
  CHECK(outcome_with(3) == Outcome::failed);
  CHECK_THAT(scene.finding().evidence.back().text, Contains("3 of 3 attempts are spent when this one is counted"));
  for (const std::optional<std::int64_t> other : {std::optional<std::int64_t>{}, {2}, {0}, {1}}) {
    CHECK(outcome_with(other) == Outcome::requeued);
  }
  scene.facts.task.attempts_used = 1;
  CHECK(outcome_with(2) == Outcome::requeued);
  CHECK(outcome_with(4) == Outcome::failed);
}

TEST_CASE("dead and overdue tasks may be given another default for one run") {
  Scene overdue;
  overdue.policy.overdue = Outcome::requeued;
  overdue.policy.dead = Outcome::parked;
  CHECK(overdue.finding().outcome == Outcome::requeued);
  Scene dead = overdue;
  dead.add_verdict(Liveness::dead);
  CHECK(dead.finding().outcome == Outcome::parked);
  say(add_evidence(dead, EvidenceSource::Kind::log, "logs"), 0);
  CHECK(dead.finding().outcome == Outcome::succeeded);
}

TEST_CASE("facts that wait for their evidence come back as they were") {
  Scene scene;
  scene.add_source(LivenessSource::Kind::table);
  scene.facts.liveness[0].row_found = true;
  scene.facts.liveness[0].heartbeat = ago(5min);
  scene.add_verdict(Liveness::alive);
  scene.request_cancel(1h);
  scene.facts.hazards = {true, false};
  scene.facts.class_rule = 1;
  scene.times().lease = unreadable();
  const Judgement before = scene.judge();
  scene.facts = decode_facts(encode_facts(scene.facts));
  CHECK(scene.facts.liveness.at(0).heartbeat.at == k_now - 5min);
  CHECK(scene.facts.liveness.at(1).verdict == "alive");
  CHECK(scene.facts.cancel_request.reason == "Client disconnected");
  CHECK(scene.facts.hazards == std::vector<bool>{true, false});
  CHECK(scene.facts.class_rule == 1);
  CHECK(scene.facts.task.times.lease.raw == "soon");
  REQUIRE(before.verdicts.size() == scene.judge().verdicts.size());
  for (std::size_t i = 0; i < before.verdicts.size(); ++i) {
    CHECK(before.verdicts[i].why == scene.judge().verdicts[i].why);
  }
}
