#include <algorithm>

#include <catch2/catch.hpp>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "profile/profile_reader.hpp"

using namespace taskctl;
using namespace std::chrono_literals;

namespace {

bool names(const Profile& profile, const std::string& table, const std::string& column) {
  return std::any_of(profile.columns.begin(), profile.columns.end(),
                     [&](const ColumnUse& use) { return use.table == table && use.column == column; });
}

const StatusValue* status(const Profile& profile, const std::string& text) {
  for (const ClassRule& rule : profile.classes) {
    for (const StatusValue& value : rule.values) {
      if (value.text == text) {
        return &value;
      }
    }
  }
  return nullptr;
}

std::vector<std::string> set_columns(const OperationSpec& operation) {
  std::vector<std::string> names;
  for (const auto& [column, value] : operation.set) {
    names.push_back(column);
  }
  return names;
}

}  // namespace

TEST_CASE("built-in profiles - names are sorted and equal the names inside") {
  const std::vector<std::string> names = builtin_profile_names();
  CHECK(std::ranges::is_sorted(names));
  for (const char* name : {"cluster", "jobs", "task-queue", "workspace-tasks"}) {
    CHECK(find_profile(name).hash == sha256(builtin_profile_text(name)));
  }
  for (const std::string& name : names) {
    INFO(name);
    for (const Profile& profile : find_profiles(name)) {
      CHECK(profile.name == name);
      CHECK(profile.file == "built-in");
      CHECK_FALSE(profile.summary.empty());
      CHECK((profile.safety != Safety::read_only || !profile.safety_reason.empty()));
    }
  }
}

TEST_CASE("built-in profiles - an unknown name suggests the nearest") {
  try {
    (void)find_profile("task-qeue");
    FAIL("accepted");
  } catch (const Error& e) {
    CHECK(e.code() == ExitCode::usage);
    CHECK(e.message() == "no profile 'task-qeue' is built in");
    CHECK(e.hint() == "Did you mean 'task-queue'?");
  }
}

TEST_CASE("built-in profiles - an unknown name that is near nothing lists all") {
  try {
    (void)builtin_profile_text("something else");
    FAIL("accepted");
  } catch (const Error& e) {
    CHECK_THAT(e.hint(), Catch::Contains("Built in are celery, cluster, ") && Catch::Contains(", jobs, ") &&
                             Catch::Contains(", task-queue, "));
  }
}

TEST_CASE("task-queue - task times and encodings") {
  const Profile profile = find_profile("task-queue");
  CHECK(profile.engines == std::set<Engine>{Engine::sqlite, Engine::postgres});
  CHECK(profile.table == "task_queue");
  CHECK(profile.key == std::vector<std::string>{"task_id"});
  CHECK(profile.status.column == "status");
  CHECK(profile.kind.column == "task_type");
  CHECK(profile.error.column == "error_message");
  CHECK(profile.attempts_used.column == "retry_count");
  CHECK(profile.attempts_limit.column == "max_retries");
  CHECK_FALSE(profile.worker.given());
  CHECK_FALSE(profile.queue.given());
  CHECK_FALSE(profile.always_assigned);
  CHECK(profile.times.created.column == "created_at");
  CHECK(profile.times.updated.column == "updated_at");
  CHECK_FALSE(profile.times.heartbeat.given());
  CHECK(profile.times.start_fallback == std::vector<std::string>{"heartbeat", "claimed", "created"});

  const ColumnEncoding* completed = profile.encoding_of("task_queue", "completed_at");
  REQUIRE(completed != nullptr);
  REQUIRE(completed->read.size() == 2);
  CHECK(completed->read[0].name == "application");
  CHECK(completed->read[0].separator == 'T');
  CHECK(completed->read[0].fraction == 6);
  CHECK(completed->read[0].zone->name() == "Asia/Shanghai");
  CHECK(completed->read[1].name == "database");
  CHECK(completed->write.name == "database");
  CHECK(completed->write.separator == ' ');
  CHECK(completed->write.fraction == 0);
  CHECK(completed->write.format == TimeFormat::text);
  CHECK(profile.encoding_of("task_queue", "updated_at")->read[0].name == "database");
  CHECK(profile.encoding_of("task_queue", "started_at")->write.name == "application");
  CHECK(profile.encoding_of("task_queue", "status") == nullptr);
  CHECK(profile.encoding_of("other", "started_at") == nullptr);
}

TEST_CASE("task-queue - classes thresholds defaults and operations") {
  const Profile profile = find_profile("task-queue");
  REQUIRE(profile.classes.size() == 1);
  CHECK(profile.classes[0].column == "status");
  CHECK(profile.classes[0].values.size() == 6);
  CHECK(status(profile, "retry")->task_class == TaskClass::queued);
  CHECK(status(profile, "success")->task_class == TaskClass::succeeded);
  CHECK_FALSE(status(profile, "success")->is_number);
  CHECK(profile.policy.max_age == 1h);
  CHECK(profile.policy.reap == Duration{1h});
  CHECK(profile.policy.settle == 1min);
  CHECK(profile.defaults.at("contradiction") == Outcome::failed);
  CHECK(profile.defaults.at("force-cancel") == Outcome::failed);
  CHECK(profile.defaults.at("cancel") == Outcome::cancelled);
  CHECK_FALSE(profile.defaults.contains("dead"));
  CHECK(profile.reasons.at("force-cancel") == "Force cancelled by user");
  REQUIRE(profile.outcomes.size() == 2);
  REQUIRE(profile.outcomes.at(Outcome::failed).size() == 1);
  const OperationSpec& failed = profile.outcomes.at(Outcome::failed)[0];
  CHECK(failed.kind == OperationSpec::Kind::update);
  CHECK(failed.table.empty());
  CHECK(set_columns(failed) == std::vector<std::string>{"status", "error_message", "completed_at", "updated_at"});
  CHECK(failed.set[0].second.sql() == "'failed'");
  CHECK(set_columns(profile.outcomes.at(Outcome::cancelled)[0]) == std::vector<std::string>{"status", "updated_at"});
  CHECK(profile.enabled_rules.empty());
  CHECK(names(profile, "task_queue", "max_retries"));
  CHECK(names(profile, "task_queue", "task_id"));
}

TEST_CASE("workspace-tasks - classes liveness evidence and hazard") {
  const Profile profile = find_profile("workspace-tasks");
  CHECK(profile.engines == std::set<Engine>{Engine::postgres});
  REQUIRE(profile.classes.size() == 2);
  CHECK(profile.classes[0].when->sql() == "status = 'running' AND stage = 'apply_pending'");
  CHECK(profile.classes[0].task_class == TaskClass::parked);
  CHECK(profile.classes[0].contradiction);
  CHECK(profile.classes[0].outcome == Outcome::parked);
  CHECK_FALSE(profile.classes[1].contradiction);
  CHECK(status(profile, "apply_pending")->task_class == TaskClass::parked);
  CHECK(status(profile, "planned_and_finished")->task_class == TaskClass::succeeded);

  REQUIRE(profile.liveness.size() == 2);
  CHECK(profile.liveness[0].kind == LivenessSource::Kind::lease);
  CHECK(profile.liveness[0].name == "lease");
  CHECK(profile.liveness[0].timeout == 0s);
  CHECK(profile.liveness[1].kind == LivenessSource::Kind::table);
  CHECK(profile.liveness[1].name == "agents");
  CHECK(profile.liveness[1].key == "agent_id");
  CHECK(profile.liveness[1].heartbeat == "last_ping_at");
  CHECK(profile.liveness[1].timeout == 2min);
  CHECK(profile.liveness[1].missing_is_dead);

  REQUIRE(profile.evidence.size() == 1);
  CHECK(profile.evidence[0].kind == EvidenceSource::Kind::log);
  CHECK(profile.evidence[0].table == "task_logs");
  CHECK(profile.evidence[0].match == Match{{"task_id", "id"}});
  CHECK(profile.evidence[0].value == "content");
  CHECK(profile.evidence[0].newest);
  REQUIRE(profile.evidence[0].patterns.size() == 3);
  CHECK(profile.evidence[0].patterns[2] == EvidencePattern{"[ERROR]", Outcome::failed, true});

  REQUIRE(profile.hazards.size() == 1);
  CHECK(profile.hazards[0].name == "applying");
  CHECK(profile.hazards[0].when.sql() == "stage = 'applying'");
  CHECK(profile.enabled_rules == std::set<Rule>{Rule::missing_finished_time});
}

TEST_CASE("workspace-tasks - operations over two tables") {
  const Profile profile = find_profile("workspace-tasks");
  const OperationList& failed = profile.outcomes.at(Outcome::failed);
  REQUIRE(failed.size() == 2);
  CHECK(failed[1].table == "workspaces");
  CHECK(failed[1].match == Match{{"workspace_id", "workspace_id"}});
  REQUIRE(failed[1].when.has_value());
  const auto& pieces = failed[1].when->pieces();
  REQUIRE(pieces.size() == 3);
  CHECK(pieces[1].placeholder);
  CHECK(pieces[1].text == "task.id");
  CHECK(set_columns(failed[1]) == std::vector<std::string>{"is_locked", "locked_by", "locked_at", "lock_reason"});
  REQUIRE(profile.rule_operations.at(Rule::missing_finished_time).size() == 1);
  CHECK(profile.rule_operations.at(Rule::missing_finished_time)[0].set[0].second.sql() == "updated_at");
  CHECK(profile.encoding_of("agents", "last_ping_at")->write.format == TimeFormat::naive);
  CHECK(names(profile, "workspaces", "lock_reason"));
  CHECK(names(profile, "agents", "agent_id"));
  CHECK(names(profile, "task_logs", "content"));
}

TEST_CASE("cluster - the worker stands in another table and its heartbeat in seconds") {
  const Profile profile = find_profile("cluster");
  CHECK(profile.worker.kind == Attribute::Kind::lookup);
  CHECK(profile.worker.table == "assignments");
  CHECK(profile.worker.match == Match{{"task_id", "task_id"}});
  CHECK(profile.worker.value == "worker_id");
  CHECK(profile.worker.order_by == "assigned_at");
  CHECK(profile.worker.newest);
  CHECK(profile.always_assigned);
  CHECK(profile.encoding_of("worker_registry", "last_heartbeat")->read[0].format == TimeFormat::unix_s);
  CHECK(profile.encoding_of("tasks", "started_at")->write.format == TimeFormat::timestamptz);
  REQUIRE(profile.evidence.size() == 1);
  CHECK(profile.evidence[0].kind == EvidenceSource::Kind::result);
  CHECK_FALSE(profile.evidence[0].newest);
  CHECK(profile.evidence[0].finished == "completed_at");
  CHECK(profile.liveness[0].timeout == 30s);
  CHECK(profile.defaults.at("never-assigned") == Outcome::failed);
}

TEST_CASE("jobs - cancel requests in a table deleted with the repair") {
  const Profile profile = find_profile("jobs");
  REQUIRE(profile.cancel_request.has_value());
  CHECK(profile.cancel_request->table == "pending_cancellations");
  CHECK(profile.cancel_request->match == Match{{"job_id", "id"}});
  CHECK(profile.cancel_request->requested == "requested_at");
  CHECK(profile.cancel_request->reason == "reason");
  CHECK(profile.defaults.at("cancel-requested") == Outcome::cancelled);
  const OperationList& cancelled = profile.outcomes.at(Outcome::cancelled);
  REQUIRE(cancelled.size() == 2);
  CHECK(cancelled[1].kind == OperationSpec::Kind::remove);
  CHECK(cancelled[1].table == "pending_cancellations");
  CHECK(cancelled[1].set.empty());
  CHECK(profile.encoding_of("jobs", "created_at")->read[0].format == TimeFormat::unix_ms);
}

TEST_CASE("columns - each once at the first place that names it") {
  const Profile profile = find_profile("jobs");
  const auto is_status = [](const ColumnUse& use) { return use.table == "jobs" && use.column == "status"; };
  CHECK(std::count_if(profile.columns.begin(), profile.columns.end(), is_status) == 1);
  const auto found = std::find_if(profile.columns.begin(), profile.columns.end(), is_status);
  CHECK(found->where.display() == "built-in:11:10: key 'task.status'");
}
