#pragma once

#include <algorithm>
#include <chrono>
#include <string>

#include "engine/judge.hpp"

namespace taskctl::test {

using namespace std::chrono_literals;

inline const Instant k_now = Instant{std::chrono::hours{24} * 20000};

inline TimeFact at(Instant instant) {
  return {TimeFact::State::known, instant, {}};
}
inline TimeFact ago(Duration age) {
  return at(k_now - age);
}
inline TimeFact unreadable(const std::string& raw = "soon") {
  return {TimeFact::State::unreadable, {}, raw};
}

inline Attribute column(const std::string& name) {
  Attribute attribute;
  attribute.kind = Attribute::Kind::column;
  attribute.column = name;
  return attribute;
}

/// Profile, policy and facts of one judgement. It begins as an active task that started two hours ago, in a system
/// without liveness sources; every test changes what it is about.
struct Scene {
  Profile profile;
  Policy policy;
  TaskFacts facts;
  std::vector<WorkerCensus> workers;
  bool standby_lags = false;
  bool assignments_suspect = false;

  Scene() {
    profile.name = "scene";
    profile.table = "tasks";
    profile.key = {"id"};
    profile.status = column("status");
    profile.worker = column("worker_id");
    profile.times.created = column("created_at");
    profile.times.started = column("started_at");
    profile.times.finished = column("completed_at");
    profile.times.updated = column("updated_at");
    profile.times.heartbeat = column("beat_at");
    profile.times.lease = column("lease_until");
    profile.times.claimed = column("claimed_at");
    profile.classes.resize(2);
    profile.classes[1].contradiction = true;
    profile.defaults = {{"contradiction", Outcome::cancelled},
                        {"cancel-requested", Outcome::cancelled},
                        {"dead", Outcome::failed},
                        {"never-assigned", Outcome::requeued},
                        {"overdue", Outcome::failed},
                        {"waiting", Outcome::cancelled}};
    facts.task.key.parts = {"7"};
    facts.task.status = "running";
    facts.task.task_class = TaskClass::active;
    facts.task.times.created = ago(3h);
    facts.task.times.started = ago(2h);
  }

  TaskTimes& times() { return facts.task.times; }
  void become(TaskClass task_class) {
    facts.task.task_class = task_class;
    facts.task.status = std::string{to_string(task_class)};
  }
  LivenessSource& add_source(LivenessSource::Kind kind, Duration timeout = 2min) {
    LivenessSource source;
    source.kind = kind;
    source.timeout = timeout;
    source.name = kind == LivenessSource::Kind::table ? "agents" : "source";
    if (kind == LivenessSource::Kind::table) {
      source.table = "agents";
      source.heartbeat = "last_ping_at";
      facts.task.worker = "w1";
    }
    profile.liveness.push_back(source);
    facts.liveness.emplace_back();
    workers.push_back(kind == LivenessSource::Kind::table ? WorkerCensus{3, 1} : WorkerCensus{});
    return profile.liveness.back();
  }
  /// A source of its own that simply says so.
  void add_verdict(Liveness says) {
    add_source(LivenessSource::Kind::sql);
    if (says != Liveness::unknown) {
      facts.liveness.back().verdict = std::string{to_string(says)};
    }
  }
  void request_cancel(Duration age) {
    facts.cancel_request.present = true;
    facts.cancel_request.requested = ago(age);
    facts.cancel_request.reason = "Client disconnected";
    profile.cancel_request = CancelRequestSource{};
    profile.cancel_request->table = "pending_cancellations";
    profile.cancel_request->requested = "requested_at";
  }

  [[nodiscard]] JudgeContext context() const {
    return {profile, policy, k_now, workers, standby_lags, assignments_suspect};
  }
  [[nodiscard]] Judgement judge() const { return taskctl::judge(facts, context()); }
  [[nodiscard]] LivenessVerdict liveness() const { return judge_liveness(facts, context()); }
  /// Code of the finding's rule; "fine" when there is none.
  [[nodiscard]] std::string rule() const {
    const auto judgement = judge();
    return judgement.finding ? std::string{to_string(judgement.finding->rule)} : "fine";
  }
  [[nodiscard]] Finding finding() const { return judge().finding.value(); }
  [[nodiscard]] RuleVerdict verdict(Rule rule) const {
    const auto verdicts = judge().verdicts;
    return *std::find_if(verdicts.begin(), verdicts.end(), [&](const RuleVerdict& v) { return v.rule == rule; });
  }
};

}  // namespace taskctl::test
