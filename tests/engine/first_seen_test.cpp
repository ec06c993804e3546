#include <catch2/catch.hpp>

#include "engine/applier_check.hpp"
#include "engine/finding_codec.hpp"
#include "engine/judge_scene.hpp"
#include "engine/task_age.hpp"

using namespace taskctl;
using namespace taskctl::test;

namespace {

/// An active task of a table without any time column, under a profile that counts from when it was first seen.
Scene timeless(std::optional<Duration> seen) {
  Scene scene;
  scene.profile.times = {};
  scene.profile.times.start_fallback = {"first_seen"};
  scene.facts.task.times = {};
  scene.facts.task.fingerprint = "print";
  if (seen) {
    scene.times().first_seen = ago(*seen);
  }
  return scene;
}

}  // namespace

TEST_CASE("first seen - a task that nobody has seen has no age, and the text says what to do") {
  Scene scene = timeless({});
  CHECK(scene.rule() == "unreadable");
  const Since since = since_of(scene.facts.task, scene.profile);
  CHECK_FALSE(since.at);
  CHECK(since.problem ==
        "nothing in the row says when it began, and it has not been seen in this state lately: "
        "`taskctl observe` takes note of it");
  CHECK(scene.finding().repair == Repair::never);
  scene.policy.max_age_given = true;
  CHECK(scene.finding().repair == Repair::never);
}

TEST_CASE("first seen - the age counts from it") {
  Scene scene = timeless(2h);
  CHECK(scene.rule() == "overdue");
  const Finding finding = scene.finding();
  CHECK(finding.certainty == Certainty::possible);
  CHECK(finding.since == k_now - 2h);
  CHECK(finding.evidence.at(0).source == "first seen");
  CHECK(finding.evidence.at(0).text == "first seen active 2h ago by taskctl, as it is now");
  CHECK(finding.repair == Repair::needs_max_age);
  CHECK(reason_for(finding, scene.profile, "", k_now) ==
        "ended as stuck: running for at least 2h without an end (overdue)");
  scene.policy.reap = 1h;
  CHECK(scene.finding().repair == Repair::needs_max_age);
  scene.policy.max_age_given = true;
  CHECK(scene.finding().repair == Repair::yes);
  CHECK(timeless(59min).rule() == "fine");
  CHECK(timeless(59min).judge().fine_because == "first seen 59m ago");
}

TEST_CASE("first seen - it is the last word of the chain") {
  Scene scene = timeless(2h);
  scene.profile.times.created = column("created_at");
  scene.profile.times.start_fallback = {"created", "first_seen"};
  CHECK(since_of(scene.facts.task, scene.profile).sighted);
  scene.times().created = ago(10min);
  CHECK(since_of(scene.facts.task, scene.profile).at == k_now - 10min);
  CHECK_FALSE(since_of(scene.facts.task, scene.profile).sighted);
  scene.times().created = unreadable();
  CHECK(since_of(scene.facts.task, scene.profile).at == k_now - 2h);
  scene.profile.times.started = column("started_at");
  scene.times().started = unreadable();
  CHECK_FALSE(since_of(scene.facts.task, scene.profile).at);
  CHECK(scene.rule() == "unreadable");
}

TEST_CASE("first seen - a profile that does not name it takes no notice") {
  Scene scene = timeless(2h);
  scene.profile.times.start_fallback = {"created"};
  CHECK(scene.rule() == "unreadable");
  CHECK(since_of(scene.facts.task, scene.profile).problem == "started is not set, and no other time stands in for it");
}

TEST_CASE("first seen - only active tasks count from it") {
  Scene scene = timeless(2h);
  scene.become(TaskClass::queued);
  scene.policy.queued_max_age = 1h;
  CHECK_FALSE(scene.verdict(Rule::waiting).fired);
  CHECK(since_of(scene.facts.task, scene.profile).problem == "started is not set, and no other time stands in for it");
}

TEST_CASE("first seen - a dead worker's task counts once it was seen for longer than settle") {
  Scene scene = timeless(30s);
  scene.add_verdict(Liveness::dead);
  CHECK_FALSE(scene.verdict(Rule::dead).fired);
  CHECK(scene.verdict(Rule::dead).why == "first seen 30s ago, not older than 1m");
  scene.times().first_seen = ago(2min);
  CHECK(scene.rule() == "dead");
  CHECK(scene.finding().certainty == Certainty::probable);
}

TEST_CASE("first seen - a living worker's task is not stuck") {
  Scene scene = timeless(100h);
  scene.add_verdict(Liveness::alive);
  CHECK(scene.rule() == "fine");
}

TEST_CASE("first seen - an unchanged row has settled, a changed one may be in the middle of a change") {
  Scene scene = timeless({});
  scene.facts.class_rule = 1;  // marked as a contradiction
  CHECK(scene.rule() == "unreadable");
  CHECK_FALSE(scene.verdict(Rule::contradiction).fired);
  scene.times().first_seen = ago(30s);
  CHECK(scene.rule() == "settling");
  CHECK(scene.verdict(Rule::settling).why == "the row was first seen as it is now 30s ago, not older than 1m");
  scene.times().first_seen = ago(2min);
  CHECK(scene.rule() == "contradiction");
  // A time of the row that is newer outweighs it.
  scene.times().updated = ago(10s);
  CHECK_FALSE(scene.verdict(Rule::contradiction).fired);
}

TEST_CASE("first seen - the hazard young and the rule clock look at it too") {
  CHECK(hazards_of(timeless(4min).facts, timeless(4min).context()) == std::vector<std::string>{"young"});
  CHECK(hazards_of(timeless(6min).facts, timeless(6min).context()).empty());
  CHECK(timeless(-2min).rule() == "clock");
}

TEST_CASE("first seen - what a plan knows holds for a row that has not changed") {
  Scene scene = timeless(2h);
  const Task planned = scene.facts.task;
  TaskFacts now = scene.facts;
  now.task.times.first_seen = {};
  std::map<TaskKey, TaskFacts> found{{now.task.key, now}};
  recall_sighting(planned, found);
  CHECK(found.begin()->second.task.times.first_seen.at == k_now - 2h);

  now.task.fingerprint = "another";
  found = {{now.task.key, now}};
  recall_sighting(planned, found);
  CHECK(found.begin()->second.task.times.first_seen.absent());

  // What is noted here is newer than the plan.
  now.task.fingerprint = "print";
  now.task.times.first_seen = ago(1min);
  found = {{now.task.key, now}};
  recall_sighting(planned, found);
  CHECK(found.begin()->second.task.times.first_seen.at == k_now - 1min);

  Task without = planned;
  without.fingerprint.clear();
  now.task.fingerprint.clear();
  now.task.times.first_seen = {};
  found = {{now.task.key, now}};
  recall_sighting(without, found);
  CHECK(found.begin()->second.task.times.first_seen.absent());
}

TEST_CASE("first seen - it comes back from the spool") {
  ByteWriter out;
  encode(out, timeless(2h).facts.task);
  ByteReader in{out.bytes()};
  const Task task = decode_task(in);
  CHECK(task.times.first_seen.at == k_now - 2h);
  CHECK(task.fingerprint == "print");
}
