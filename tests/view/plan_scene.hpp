#pragma once

#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/timestamp.hpp"
#include "view/plan_file.hpp"

namespace taskctl::test {

inline Image image_of(std::vector<std::string> columns, std::vector<Value> values) {
  return {std::make_shared<const std::vector<std::string>>(std::move(columns)), std::move(values)};
}

/// A finding with every field filled, texts that are not UTF-8 among them.
inline Finding full_finding(const std::string& id) {
  Finding finding;
  finding.task.key.parts = {id, "\xff\x01"};
  finding.task.status = "running\xfe";
  finding.task.task_class = TaskClass::active;
  finding.task.kind = "plan \"x\"\n";
  finding.task.worker = "";
  finding.task.error = "it\x80";
  finding.task.attempts_used = std::numeric_limits<std::int64_t>::min();
  finding.task.attempts_limit = std::numeric_limits<std::int64_t>::max();
  finding.task.times.started = {TimeFact::State::known, parse_instant("2025-06-01T10:00:00.000001Z", "test"), ""};
  finding.task.times.finished = {TimeFact::State::unreadable, {}, "infinity\xff"};
  finding.task.times.updated = {TimeFact::State::known, Instant::max(), ""};
  finding.task.times.lease = {TimeFact::State::known, Instant::min(), "raw"};
  finding.rule = Rule::dead;
  finding.certainty = Certainty::probable;
  finding.outcome = Outcome::failed;
  finding.repair = Repair::yes;
  finding.evidence = {{"agents", "silent\xfd"}, {"", ""}};
  finding.also = {Rule::overdue, Rule::attempts_over_limit};
  finding.hazards = {"young", "haz\xff"};
  finding.liveness = Liveness::dead;
  finding.since = Instant{Duration{-1}};
  finding.note = "a note";
  finding.request_reason = "";
  finding.finished = parse_instant("9999-12-31T23:59:59.999999Z", "test");
  finding.said = "said \x01";
  return finding;
}

/// Every kind of change with every kind of value.
inline PlanUnit full_unit(const std::string& id) {
  const double infinity = std::numeric_limits<double>::infinity();
  PlanUnit unit;
  unit.task = id;
  unit.reason = "why \xff";
  unit.finding = full_finding(id);
  const std::vector<std::string> columns = {"id", "state", "raw", "zero", "big", "real", "text", "null", "inf", "same"};
  Change update;
  update.table = {"public", "tasks"};
  update.key = {{"id"}, {std::int64_t{7}}};
  update.before = image_of(
      columns, {std::int64_t{7}, std::string{"1"}, Blob{std::string("\x00\xff", 2)}, 0.0,
                std::numeric_limits<std::int64_t>::min(), 0.1, std::string{"\xff\x00", 2}, Null{}, infinity, 1.0});
  update.after =
      image_of(columns, {std::int64_t{7}, std::int64_t{1}, Null{}, -0.0, std::numeric_limits<std::int64_t>::max(),
                         5e-324, std::string{}, Blob{}, -infinity, 1.0});
  update.written = {"state", "raw", "zero", "big", "real", "text", "null", "inf"};
  Change other_columns = update;
  other_columns.after = image_of({"id", "state"}, {std::int64_t{8}, std::string{"x"}});
  other_columns.written = {"id", "state"};
  Change insert;
  insert.operation = Operation::insert;
  insert.table = {"", "events"};
  insert.after = image_of({"what"}, {1.7976931348623157e308});
  insert.written = {"what"};
  Change remove;
  remove.operation = Operation::remove;
  remove.table = {"", "claims"};
  remove.key = {{"a", "b"}, {std::string{"x"}, Null{}}};
  remove.before = image_of({"a", "b"}, {std::string{"x"}, Null{}});
  unit.changes = {update, other_columns, insert, remove};
  return unit;
}

inline Plan full_plan(std::size_t units = 2) {
  Plan plan;
  plan.command = "reconcile";
  plan.identity = "sqlite:1:2:/tmp/\xff";
  plan.profile = "queue";
  plan.profile_hash = "p";
  plan.schema_fingerprint = "s";
  plan.now = parse_instant("2025-06-01T12:00:00.5Z", "test");
  plan.given_now = plan.now;
  plan.selector.kinds = {"k\xff"};
  plan.selector.rules = {Rule::dead};
  plan.selector.certainties = {Certainty::certain};
  plan.policy.reap = Duration{1};
  plan.policy.queued_max_age = std::chrono::hours{24 * 400};
  plan.policy.accepted_hazards = {"young"};
  plan.policy.dead = Outcome::requeued;
  plan.policy.evidence = false;
  plan.policy.presumed_dead = "w";
  plan.reason = "because";
  plan.nonce = "00ff";
  plan.is_selected = true;
  plan.remaining = 3;
  plan.status_before = {{"NULL", 1}, {"run\xff", 2}};
  plan.warnings = {"careful"};
  plan.leave_out({.task = "t", .why = LeftOut::Why::hazard, .detail = "d\xff", .finding = full_finding("t")});
  plan.leave_out({.task = "u", .why = LeftOut::Why::unknown, .detail = "", .finding = {}});
  for (std::size_t i = 0; i < units; ++i) {
    PlanUnit unit = full_unit("task " + std::to_string(i));
    if (i > 0) {
      unit.depends_on = {i - 1};
    }
    plan.append(unit);
  }
  return plan;
}

inline PlanFileInfo sample_info() {
  PlanFileInfo info;
  info.written_by = "1.2.3";
  info.target = "tasks.db";
  info.journal = "uuid";
  info.created = parse_instant("2025-06-01T12:00:00Z", "test");
  info.expires = parse_instant("2025-06-01T13:00:00Z", "test");
  return info;
}

}  // namespace taskctl::test
