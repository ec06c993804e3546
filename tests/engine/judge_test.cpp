#include "engine/judge.hpp"

#include <set>

#include <catch2/catch.hpp>

#include "engine/judge_scene.hpp"

using namespace taskctl;
using namespace taskctl::test;
using Catch::Matchers::Contains;

namespace {

constexpr auto k_tick = std::chrono::microseconds{1};

Scene ended(TaskClass task_class) {
  Scene scene;
  scene.become(task_class);
  scene.times().finished = ago(1h);
  return scene;
}

}  // namespace

TEST_CASE("every rule gives its verdict once in order with a reason") {
  Scene scene;
  const auto verdicts = scene.judge().verdicts;
  REQUIRE(verdicts.size() == k_task_rules.size());
  for (std::size_t i = 0; i < k_task_rules.size(); ++i) {
    CHECK(verdicts[i].rule == k_task_rules[i]);
    CHECK_FALSE(verdicts[i].why.empty());
    CHECK(verdicts[i].fired == (k_task_rules[i] == Rule::overdue));
  }
}

TEST_CASE("a status that the profile does not map is never judged") {
  Scene scene;
  scene.facts.task.task_class.reset();
  scene.facts.task.status = "weird";
  scene.times().finished = ago(1h);
  scene.request_cancel(1h);
  CHECK(scene.rule() == "fine");
  CHECK(scene.verdict(Rule::contradiction).why == "status 'weird' is not mapped by the profile");
}

TEST_CASE("a finished time on a task that is not over is a contradiction") {
  const std::set<TaskClass> open{TaskClass::queued, TaskClass::active, TaskClass::parked};
  for (const auto task_class : k_task_classes) {
    CAPTURE(to_string(task_class));
    const Scene scene = ended(task_class);
    CHECK(scene.rule() == (open.count(task_class) > 0 ? "contradiction" : "fine"));
  }
  const Finding finding = ended(TaskClass::active).finding();
  CHECK(finding.certainty == Certainty::certain);
  REQUIRE(finding.evidence.size() == 2);
  CHECK(finding.evidence[0].source == "completed_at");
  CHECK(finding.evidence[0].text == "completed_at is set, 1h ago");
  CHECK(finding.evidence[1].text == "status 'active' is active");
  CHECK(finding.since == k_now - 2h);
  CHECK(finding.also == std::vector<Rule>{Rule::overdue});
}

TEST_CASE("a contradiction counts only when the newest time is older than settle") {
  struct Row {
    const char* name;
    Duration age;
    const char* rule;
  };
  for (const auto& [name, age, rule] :
       {Row{"at settle", 1min, "settling"}, Row{"past settle", 1min + k_tick, "contradiction"},
        Row{"fresh", 2s, "settling"}, Row{"ahead", -1h, "settling"}}) {
    CAPTURE(name);
    for (auto member :
         {&TaskTimes::created, &TaskTimes::updated, &TaskTimes::heartbeat, &TaskTimes::claimed, &TaskTimes::finished}) {
      Scene scene = ended(TaskClass::active);
      scene.times().*member = ago(age);
      CHECK(scene.rule() == rule);
    }
  }
  Scene leased = ended(TaskClass::active);
  leased.times().lease = ago(-1h);
  CHECK(leased.rule() == "contradiction");
  Scene garbled = ended(TaskClass::active);
  garbled.times().updated = unreadable();
  CHECK(garbled.rule() == "contradiction");
}

TEST_CASE("a row that is being finished is left alone by every weaker rule") {
  Scene scene = ended(TaskClass::active);
  scene.times().finished = ago(1s);
  scene.request_cancel(1h);
  scene.add_verdict(Liveness::dead);
  scene.profile.always_assigned = true;
  const Finding finding = scene.finding();
  CHECK(finding.rule == Rule::settling);
  CHECK(finding.certainty == Certainty::none);
  CHECK(finding.repair == Repair::never);
  CHECK(finding.outcome == Outcome::unchanged);
  CHECK(finding.also.empty());
  CHECK_THAT(scene.verdict(Rule::dead).why, Contains("may be about to set the status"));
}

TEST_CASE("a finished time before the start is of an earlier attempt") {
  Scene scene = ended(TaskClass::active);
  scene.times().finished = ago(2h + k_tick);
  CHECK(scene.rule() == "overdue");
  CHECK(scene.verdict(Rule::settling).fired);
  scene.policy.max_age = 3h;
  CHECK(scene.rule() == "settling");
  scene.add_verdict(Liveness::dead);
  CHECK(scene.rule() == "dead");
  scene.times().updated = ago(1s);
  CHECK(scene.rule() == "dead");
  scene.times().updated = {};
  scene.times().finished = ago(2h);
  CHECK(scene.rule() == "contradiction");
  scene.times().started = {};
  scene.times().finished = ago(9h);
  CHECK(scene.rule() == "contradiction");
}

TEST_CASE("a class entry marked as contradiction needs no finished time") {
  Scene scene;
  scene.become(TaskClass::parked);
  CHECK(scene.rule() == "fine");
  scene.facts.class_rule = 1;
  scene.profile.classes[1].outcome = Outcome::parked;
  const Finding finding = scene.finding();
  CHECK(finding.rule == Rule::contradiction);
  CHECK(finding.outcome == Outcome::parked);
  CHECK(finding.repair == Repair::yes);
  CHECK_THAT(finding.evidence.at(0).text, Contains("which the profile calls a contradiction"));
  scene.times().updated = ago(30s);
  CHECK(scene.rule() == "settling");
  scene.times() = {};
  CHECK(scene.rule() == "settling");
}

TEST_CASE("an unreadable finished time says that nothing is known") {
  for (const auto task_class : k_task_classes) {
    CAPTURE(to_string(task_class));
    Scene scene;
    scene.become(task_class);
    scene.times().finished = unreadable();
    scene.request_cancel(1h);
    scene.add_verdict(Liveness::dead);
    CHECK(scene.rule() == (is_terminal(task_class) ? "fine" : "unreadable"));
  }
  Scene scene;
  scene.times().finished = unreadable("so\non");
  CHECK(scene.finding().repair == Repair::never);
  CHECK(scene.finding().evidence.at(0).text == "completed_at cannot be read ('so\\non')");
  scene.add_verdict(Liveness::alive);
  CHECK(scene.rule() == "unreadable");
}

TEST_CASE("an unreadable start cannot be compared with a finished time") {
  Scene scene = ended(TaskClass::queued);
  scene.times().started = unreadable();
  CHECK(scene.rule() == "unreadable");
}

TEST_CASE("a cancel request counts once it is older than the grace") {
  Scene scene;
  scene.request_cancel(5min);
  scene.policy.max_age = 3h;
  CHECK(scene.rule() == "fine");
  scene.request_cancel(5min + k_tick);
  const Finding finding = scene.finding();
  CHECK(finding.rule == Rule::cancel_requested);
  CHECK(finding.certainty == Certainty::certain);
  CHECK(finding.outcome == Outcome::cancelled);
  CHECK(finding.repair == Repair::yes);
  CHECK(finding.request_reason == "Client disconnected");
  CHECK(finding.evidence.at(0).source == "pending_cancellations");
}

TEST_CASE("a cancel request on any class but queued and active is left alone") {
  for (const auto task_class : k_task_classes) {
    CAPTURE(to_string(task_class));
    Scene scene;
    scene.become(task_class);
    scene.request_cancel(1h);
    const bool open = task_class == TaskClass::queued || task_class == TaskClass::active;
    CHECK(scene.rule() == (open ? "cancel-requested" : "fine"));
  }
}

TEST_CASE("a cancel request without a readable time is not old") {
  Scene scene;
  scene.become(TaskClass::queued);
  scene.request_cancel(1h);
  for (const auto& requested : {TimeFact{}, unreadable(), ago(-1h)}) {
    scene.facts.cancel_request.requested = requested;
    CHECK(scene.rule() == "fine");
  }
}

TEST_CASE("a contradiction is stronger than a cancel request") {
  Scene scene = ended(TaskClass::active);
  scene.request_cancel(30min);
  CHECK(scene.rule() == "contradiction");
  CHECK(scene.finding().also == std::vector<Rule>{Rule::cancel_requested, Rule::overdue});
}

TEST_CASE("a missing finished time is reported where the profile enables the rule") {
  const std::map<TaskClass, Outcome> outcomes{{TaskClass::succeeded, Outcome::succeeded},
                                              {TaskClass::failed, Outcome::failed},
                                              {TaskClass::cancelled, Outcome::cancelled}};
  for (const auto& [task_class, outcome] : outcomes) {
    Scene scene;
    scene.become(task_class);
    CHECK(scene.rule() == "fine");
    scene.profile.enabled_rules = {Rule::missing_finished_time};
    scene.policy.outcome = Outcome::requeued;
    const Finding finding = scene.finding();
    CHECK(finding.rule == Rule::missing_finished_time);
    CHECK(finding.certainty == Certainty::certain);
    CHECK(finding.outcome == outcome);
    CHECK(finding.repair == Repair::yes);
    scene.times().updated = ago(1min);
    CHECK(scene.rule() == "settling");
    scene.times().finished = ago(1h);
    CHECK(scene.rule() == "fine");
    scene.times().finished = unreadable();
    CHECK(scene.rule() == "fine");
  }
  Scene open;
  open.become(TaskClass::queued);
  open.profile.enabled_rules = {Rule::missing_finished_time};
  CHECK(open.rule() == "fine");
  Scene timeless;
  timeless.become(TaskClass::failed);
  timeless.profile.enabled_rules = {Rule::missing_finished_time};
  timeless.profile.times.finished = {};
  CHECK(timeless.rule() == "fine");
}

TEST_CASE("a dead worker counts at any age above settle") {
  Scene scene;
  scene.add_verdict(Liveness::dead);
  scene.times().started = ago(1min);
  CHECK(scene.rule() == "fine");
  scene.times().started = ago(1min + k_tick);
  const Finding finding = scene.finding();
  CHECK(finding.rule == Rule::dead);
  CHECK(finding.certainty == Certainty::probable);
  CHECK(finding.outcome == Outcome::failed);
  CHECK(finding.hazards == std::vector<std::string>{"young"});
  CHECK(finding.repair == Repair::yes);
  CHECK(finding.evidence.at(0).text == "the profile's query says dead");
  scene.become(TaskClass::queued);
  CHECK(scene.rule() == "fine");
  scene.become(TaskClass::parked);
  CHECK(scene.rule() == "fine");
}

TEST_CASE("a death that rests on a word of a person is possible at any settled age and a young task is kept") {
  Scene scene;
  scene.facts.task.worker = "w1";
  scene.policy.presumed_dead = "w1";
  scene.policy.max_age_given = true;
  scene.times().started = ago(5min);
  CHECK(scene.finding().rule == Rule::dead);
  CHECK(scene.finding().certainty == Certainty::possible);
  CHECK(scene.finding().repair == Repair::yes);
  CHECK(scene.finding().note.empty());
  scene.times().started = ago(2min);
  CHECK(scene.finding().repair == Repair::hazard);
  scene.policy.accepted_hazards.insert("young");
  CHECK(scene.finding().repair == Repair::yes);
  scene.times().started = ago(1min);
  CHECK(scene.rule() == "fine");
}

TEST_CASE("a death that rests on a suspect source is possible and needs the age of an overdue task") {
  for (const bool standby : {false, true}) {
    Scene scene;
    scene.add_source(LivenessSource::Kind::table);
    scene.workers[0] = standby ? WorkerCensus{5, 4} : WorkerCensus{2, 0};
    scene.standby_lags = standby;
    scene.times().started = ago(1h - k_tick);
    CHECK(scene.rule() == "fine");
    scene.times().started = ago(1h);
    const Finding finding = scene.finding();
    CHECK(finding.rule == Rule::dead);
    CHECK(finding.certainty == Certainty::possible);
    CHECK(finding.repair == Repair::needs_max_age);
    CHECK_THAT(finding.note, Contains(standby ? "standby that lags" : "not one of its workers is alive"));
    scene.policy.reap = 1h;  // a threshold for tasks of which nothing is known, not for a source in doubt
    CHECK(scene.finding().repair == Repair::needs_max_age);
    scene.policy.max_age_given = true;
    CHECK(scene.finding().repair == Repair::yes);
  }
}

TEST_CASE("a task whose worker stood in a table that is now empty is no more than possible") {
  Scene scene;
  scene.add_source(LivenessSource::Kind::table);
  scene.workers[0] = {0, 0};
  scene.times().started = ago(3h);
  const Finding finding = scene.finding();
  CHECK(finding.rule == Rule::dead);
  CHECK(finding.certainty == Certainty::possible);
  CHECK(finding.repair == Repair::needs_max_age);
  CHECK(finding.note == "the source itself is suspect: 'agents' has no rows");
}

TEST_CASE("a task without a worker is no more than possible where assignments may have been lost") {
  Scene scene;
  scene.profile.always_assigned = true;
  scene.profile.worker.table = "assignments";
  scene.assignments_suspect = true;
  const Finding finding = scene.finding();
  CHECK(finding.rule == Rule::never_assigned);
  CHECK(finding.certainty == Certainty::possible);
  CHECK(finding.note == "the source itself is suspect: 'assignments' has no rows, or hides some");
  scene.policy.reap = 1h;
  CHECK(scene.finding().repair == Repair::needs_max_age);
  scene.policy.max_age_given = true;
  CHECK(scene.finding().repair == Repair::yes);
  scene.times().started = ago(1h - k_tick);
  CHECK(scene.rule() == "fine");
}

TEST_CASE("a task that was never assigned is an orphan where the system always assigns") {
  Scene scene;
  scene.policy.max_age = 3h;
  scene.times().started = ago(1min + k_tick);
  CHECK(scene.rule() == "fine");
  scene.profile.always_assigned = true;
  for (const std::optional<std::string>& nobody : {std::optional<std::string>{}, std::optional<std::string>{""}}) {
    scene.facts.task.worker = nobody;
    CHECK(scene.finding().rule == Rule::never_assigned);
    CHECK(scene.finding().certainty == Certainty::probable);
    CHECK(scene.finding().repair == Repair::yes);
    CHECK(scene.finding().outcome == Outcome::requeued);
  }
  scene.times().started = ago(1min);
  CHECK(scene.rule() == "fine");
  scene.times().started = ago(2h);
  scene.facts.task.worker = "w1";
  CHECK(scene.rule() == "fine");
  scene.facts.task.worker.reset();
  scene.become(TaskClass::queued);
  CHECK(scene.rule() == "fine");
  scene.become(TaskClass::active);
  scene.add_verdict(Liveness::alive);
  CHECK(scene.rule() == "fine");
  scene.facts.liveness[0].verdict = "dead";
  CHECK(scene.rule() == "dead");
  CHECK(scene.finding().also == std::vector<Rule>{Rule::never_assigned});
}

TEST_CASE("an active task of which nothing is known is overdue from max age on") {
  Scene scene;
  scene.times().started = ago(1h - k_tick);
  CHECK(scene.rule() == "fine");
  CHECK(scene.judge().fine_because == "started_at 59m59s ago");
  scene.times().started = ago(1h);
  CHECK(scene.finding().rule == Rule::overdue);
  CHECK(scene.finding().certainty == Certainty::possible);
  CHECK(scene.finding().repair == Repair::needs_max_age);
  for (const auto task_class : k_task_classes) {
    scene.become(task_class);
    CHECK(scene.rule() == (task_class == TaskClass::active ? "overdue" : "fine"));
  }
}

TEST_CASE("an alive task is not stuck at any age") {
  Scene scene;
  scene.times().started = ago(24h * 365);
  scene.add_verdict(Liveness::dead);
  scene.add_verdict(Liveness::alive);
  scene.profile.always_assigned = true;
  CHECK(scene.rule() == "fine");
  CHECK(scene.judge().fine_because == "alive: the profile's query says alive");
  scene.times().started = unreadable();
  CHECK(scene.rule() == "fine");
}

TEST_CASE("a queued task is stuck only past a threshold of its own") {
  Scene scene;
  scene.become(TaskClass::queued);
  scene.times().started = {};
  scene.times().created = ago(30h);
  CHECK(scene.rule() == "fine");
  scene.policy.queued_max_age = 30h;
  CHECK(scene.finding().rule == Rule::waiting);
  CHECK(scene.finding().certainty == Certainty::possible);
  CHECK(scene.finding().repair == Repair::needs_max_age);
  CHECK(scene.finding().since == k_now - 30h);
  scene.policy.queued_max_age = 30h + k_tick;
  CHECK(scene.rule() == "fine");
  scene.policy.queued_max_age = 24h;
  scene.times().started = ago(1h);
  CHECK(scene.rule() == "fine");
  scene.times().started = {};
  scene.times().created = unreadable();
  CHECK(scene.rule() == "fine");
  scene.times().created = ago(30h);
  scene.become(TaskClass::active);
  CHECK(scene.rule() == "overdue");
}

TEST_CASE("a start in the future is a matter of clocks and never repaired") {
  Scene scene;
  scene.times().started = ago(-1min);
  CHECK(scene.rule() == "fine");
  scene.times().started = ago(-1min - k_tick);
  scene.add_verdict(Liveness::alive);
  CHECK(scene.finding().rule == Rule::clock);
  CHECK(scene.finding().certainty == Certainty::none);
  CHECK(scene.finding().repair == Repair::never);
  scene.facts.liveness[0].verdict = "dead";
  CHECK(scene.rule() == "clock");
  scene.request_cancel(1h);
  CHECK(scene.rule() == "cancel-requested");
  scene.become(TaskClass::queued);
  scene.facts.cancel_request = {};
  CHECK(scene.rule() == "fine");
}

TEST_CASE("a missing start falls back along the chain of the profile") {
  Scene scene;
  scene.times().started = {};
  scene.times().claimed = ago(2h);
  scene.times().created = ago(3h);
  CHECK(scene.finding().since == k_now - 2h);
  CHECK_THAT(scene.finding().evidence.at(0).text, Contains("claimed_at stands in for the start"));
  scene.times().heartbeat = ago(90min);
  CHECK(scene.finding().since == k_now - 90min);
  scene.times().heartbeat = unreadable();
  CHECK(scene.finding().since == k_now - 2h);
  scene.profile.times.start_fallback = {"created", "nonsense"};
  CHECK(scene.finding().since == k_now - 3h);
  scene.times().created = ago(-1h);
  CHECK(scene.rule() == "clock");
  scene.profile.times.start_fallback = {"heartbeat"};
  scene.times().heartbeat = ago(-1h);
  CHECK(scene.rule() == "fine");
}

TEST_CASE("an active task without a readable time is unreadable and never repaired") {
  Scene scene;
  scene.add_verdict(Liveness::dead);
  scene.profile.always_assigned = true;
  scene.times().started = unreadable("gestern");
  CHECK(scene.finding().rule == Rule::unreadable);
  CHECK(scene.finding().repair == Repair::never);
  CHECK(scene.finding().since == std::nullopt);
  CHECK(scene.finding().evidence.at(0).text == "started_at cannot be read ('gestern')");
  scene.times().started = {};
  scene.times().created = unreadable();
  CHECK(scene.rule() == "unreadable");
  scene.times().created = {};
  CHECK(scene.rule() == "unreadable");
  scene.request_cancel(1h);
  CHECK(scene.rule() == "cancel-requested");
  scene.facts.cancel_request = {};
  scene.become(TaskClass::queued);
  CHECK(scene.rule() == "fine");
}
