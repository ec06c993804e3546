#pragma once

#include <chrono>

#include "engine/lister.hpp"

namespace taskctl::test {

inline Instant instant(std::int64_t seconds) {
  return Instant{std::chrono::seconds{seconds}};
}

/// 2025-12-19T08:54:56Z, the clock of the task_queue fixture.
inline Instant sample_now() {
  return instant(1766134496);
}

/// An overdue task that began 66h48m before sample_now().
inline ListItem sample_item() {
  ListItem item;
  Finding& finding = item.finding;
  finding.task.key = {{"task_0048"}};
  finding.task.status = "running";
  finding.task.task_class = TaskClass::active;
  finding.task.kind = "publish";
  finding.task.times.started = {.state = TimeFact::State::known, .at = instant(1766134496 - 240481), .raw = {}};
  finding.since = finding.task.times.started.at;
  finding.rule = Rule::overdue;
  finding.certainty = Certainty::possible;
  finding.outcome = Outcome::failed;
  finding.repair = Repair::yes;
  finding.evidence = {{"started_at", "started 66h48m ago"}};
  return item;
}

}  // namespace taskctl::test
