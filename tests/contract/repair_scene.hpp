#pragma once

#include <catch2/catch.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/timestamp.hpp"
#include "engine/applier.hpp"
#include "engine/planner.hpp"
#include "profile/profile_reader.hpp"
#include "store/catalog.hpp"
#include "store/postgres/driver.hpp"
#include "store/sqlite/driver.hpp"
#include "support/databases.hpp"

namespace taskctl::test {

/// A queue with what task tables rarely have all at once: a claim that is deleted, an event that is inserted and an
/// owner's counter that is updated together with the task. Times are UTC texts.
inline const std::string k_queue_profile = R"TOML(
format  = 1
name    = "queue"
summary = "queue of the tests"
engines = ["sqlite", "postgres"]
safety  = "full"

[task]
table  = "tasks"
key    = ["id"]
status = "state"

[task.time]
started  = "started_at"
finished = "finished_at"

[encoding.utc]
format    = "text"
separator = " "
fraction  = 0
zone      = "UTC"

[times.tasks]
started_at  = "utc"
finished_at = "utc"

[[class]]
column    = "state"
queued    = ["queued"]
active    = ["running"]
succeeded = ["done"]
failed    = ["failed"]
cancelled = ["cancelled"]

[[hazard]]
name    = "risky"
when    = "risky = 1"
message = "it would hurt"

[defaults]
contradiction = "cancelled"
overdue       = "failed"
cancel        = "cancelled"
force-cancel  = "failed"

[[outcome.failed.op]]
do  = "update"
set = { state = "'failed'", finished_at = "coalesce(finished_at, :now)", note = ":reason" }

[[outcome.failed.op]]
do    = "delete"
table = "claims"
match = { task_id = "id" }

[[outcome.failed.op]]
do    = "insert"
table = "events"
match = { task_id = "id" }
set   = { what = "'failed'" }

[[outcome.failed.op]]
do    = "update"
table = "owners"
match = { name = "owner" }
set   = { running = "running - 1" }

[[outcome.cancelled.op]]
do  = "update"
set = { state = "'cancelled'", note = ":reason" }
)TOML";

inline const std::string k_queue_now = "2025-06-01T12:00:00Z";

/// `count` tasks, all running for two hours, each with an owner and a claim of its own.
inline std::string queue_sql(Engine engine, int count) {
  const std::string serial = engine == Engine::sqlite ? "INTEGER PRIMARY KEY" : "bigserial PRIMARY KEY";
  std::string sql =
      "BEGIN; CREATE TABLE tasks (id integer PRIMARY KEY, state text, started_at text, finished_at text, note "
      "text, owner text, risky integer DEFAULT 0, extra text);"
      "CREATE TABLE claims (task_id integer PRIMARY KEY, node text, since text);"
      "CREATE TABLE owners (name text PRIMARY KEY, running integer CHECK (running >= 0));"
      "CREATE TABLE events (id " +
      serial + ", task_id integer, what text);";
  for (int i = 1; i <= count; ++i) {
    const std::string id = std::to_string(i);
    sql += "INSERT INTO tasks (id, state, started_at, owner, extra) VALUES (" + id +
           ", 'running', '2025-06-01 10:00:00', 'o" + id + "', NULL);";
    sql += "INSERT INTO claims VALUES (" + id + ", 'node-1', '2025-06-01 10:00:00');";
    sql += "INSERT INTO owners VALUES ('o" + id + "', 1);";
  }
  return sql + "COMMIT;";
}

/// A database under a profile, opened by taskctl for writing, and beside it the test's own connection.
class RepairScene {
 public:
  RepairScene(std::unique_ptr<TempDatabase> database, Profile profile, const std::string& clock)
      : m_database{std::move(database)},
        m_connection{open_impatient(*m_database)},
        m_profile{std::move(profile)},
        m_schema{read_schema(*m_connection, m_profile)},
        m_store{*m_connection, m_profile, m_schema},
        m_journal{*m_connection} {
    policy = m_profile.policy;
    policy.max_age_given = true;
    now = parse_instant(clock, "--now");
  }
  RepairScene(const RepairScene&) = delete;
  RepairScene& operator=(const RepairScene&) = delete;

  /// Waits for locks of others for 0.1 s only.
  static std::unique_ptr<Connection> open_impatient(const TempDatabase& database) {
    OpenOptions options;
    options.application = "taskctl test";
    options.busy_wait = std::chrono::milliseconds{100};
    const Drivers::Driver driver = database.engine() == Engine::sqlite ? sqlite_driver() : postgres_driver();
    return driver.open(parse_location(database.location()), Access::write, options);
  }

  [[nodiscard]] TempDatabase& database() { return *m_database; }
  [[nodiscard]] Connection& connection() { return *m_connection; }
  [[nodiscard]] TaskStore& store() { return m_store; }
  [[nodiscard]] Journal& journal() { return m_journal; }
  [[nodiscard]] const Profile& profile() const { return m_profile; }

  [[nodiscard]] Plan reconcile(std::optional<std::size_t> limit = {}) {
    return plan_reconcile(m_store, {.selector = selector, .policy = policy, .now = now, .reason = "", .limit = limit});
  }
  [[nodiscard]] Plan cancel(const std::vector<std::string>& ids, bool force) {
    CancelRequest request{.keys = {}, .force = force, .policy = policy, .now = now, .reason = ""};
    for (const std::string& id : ids) {
      request.keys.push_back(TaskKey{{id}});
    }
    return plan_cancel(m_store, request);
  }
  [[nodiscard]] Plan undo(const std::string& run, std::vector<std::string> tasks = {}) {
    return plan_undo(m_store, m_journal, {.run = run, .tasks = std::move(tasks)});
  }

  [[nodiscard]] RunRecord record_for(const Plan& plan) {
    RunRecord run;
    run.started = m_connection->now();
    run.id = new_run_id(run.started);
    run.command = plan.command;
    run.author = {.user = "tester", .sudo_user = "", .host = "here", .pid = 1};
    run.version = "test";
    run.profile = plan.profile;
    run.profile_hash = plan.profile_hash;
    run.plan_hash = plan.hash();
    run.plan_nonce = plan.nonce;
    run.undoes = plan.undoes;
    return run;
  }
  ApplyResult apply(const Plan& plan, ApplyOptions options = {}) {
    return Applier{m_store, m_journal, std::move(options)}.apply(plan, record_for(plan));
  }
  [[nodiscard]] std::vector<JournalEntry> entries(const std::string& run) {
    std::vector<JournalEntry> all;
    m_journal.read_changes(run, [&all](JournalEntry&& entry) { all.push_back(std::move(entry)); });
    return all;
  }
  [[nodiscard]] std::vector<Cells> rows(const std::string& table) {
    return m_database->query("SELECT * FROM " + table + " ORDER BY 1");
  }
  /// Everything that the queue of the tests has.
  [[nodiscard]] std::vector<std::vector<Cells>> everything() {
    return {rows("tasks"), rows("claims"), rows("owners"), rows("events")};
  }
  [[nodiscard]] std::string state_of(const std::string& id) {
    return m_database->value("SELECT state FROM tasks WHERE id = " + id).value_or("NULL");
  }

  Selector selector;
  Policy policy;
  std::optional<Instant> now;

 private:
  std::unique_ptr<TempDatabase> m_database;
  std::unique_ptr<Connection> m_connection;
  Profile m_profile;
  Schema m_schema;
  TaskStore m_store;
  Journal m_journal;
};

/// Changes in the journal whose after-image is what the tasks table holds now.
inline void check_journal_matches_rows(RepairScene& scene, const std::string& run, std::size_t changes) {
  const std::vector<JournalEntry> entries = scene.entries(run);
  CHECK(entries.size() == changes);
  std::int64_t sequence = 0;
  for (const JournalEntry& entry : entries) {
    CHECK(entry.sequence == ++sequence);
    if (entry.change.operation != Operation::remove) {
      const std::vector<RowKey> keys = {entry.change.key};
      const auto rows = scene.store().read_rows(entry.change.table, keys, false);
      REQUIRE(rows.at(0));
      CHECK(*rows[0] == *entry.change.after);
    }
  }
}

inline RepairScene queue_scene(Engine engine, int count, const std::string& more = {}) {
  return {temp_database(engine, queue_sql(engine, count) + more), parse_profile(k_queue_profile, "queue.toml"),
          k_queue_now};
}

/// The tasks (or rows) that a plan changes, in its order.
inline std::vector<std::string> tasks_of(const Plan& plan) {
  std::vector<std::string> tasks;
  plan.for_each([&tasks](std::size_t, const PlanUnit& unit) { tasks.push_back(unit.task); });
  return tasks;
}

inline std::map<std::string, LeftOut::Why> left_of(const Plan& plan) {
  std::map<std::string, LeftOut::Why> left;
  for (const LeftOut& entry : plan.left_out) {
    left[entry.task] = entry.why;
  }
  return left;
}

/// The one report on a task; fails when there is none.
inline const UnitReport& report_on(const ApplyResult& result, const std::string& task) {
  for (const UnitReport& report : result.reports) {
    if (report.task == task) {
      return report;
    }
  }
  throw std::runtime_error{"no report on task " + task};
}

}  // namespace taskctl::test
