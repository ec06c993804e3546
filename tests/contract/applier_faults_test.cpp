#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "contract/repair_scene.hpp"

using namespace taskctl;
using namespace taskctl::test;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;

namespace {

/// Passes everything on, after the test had its chance to throw.
class FaultyConnection final : public Connection {
 public:
  explicit FaultyConnection(Connection& real) : m_real{real} {}

  std::function<void(std::string_view sql)> on_run = [](std::string_view) {};
  std::function<void(int number)> on_begin = [](int) {};   ///< of write transactions, from 1
  std::function<void(int number)> on_commit = [](int) {};  ///< of write transactions, from 1; before it happens
  std::function<void(int number)> after_commit = [](int) {};

  [[nodiscard]] Engine engine() const override { return m_real.engine(); }
  [[nodiscard]] Access access() const override { return m_real.access(); }
  [[nodiscard]] const ServerInfo& server() const override { return m_real.server(); }
  std::int64_t run(std::string_view sql, std::span<const Value> parameters, const RowSink& sink) override {
    on_run(sql);
    return m_real.run(sql, parameters, sink);
  }
  void stream(std::string_view sql, std::span<const Value> parameters, const RowSink& sink) override {
    m_real.stream(sql, parameters, sink);
  }
  void begin(Access access) override {
    m_writing = access == Access::write;
    if (m_writing) {
      on_begin(++m_begins);
    }
    m_real.begin(access);
  }
  void commit() override {
    if (!m_writing) {
      m_real.commit();
      return;
    }
    on_commit(++m_commits);
    m_real.commit();
    after_commit(m_commits);
  }
  void rollback() noexcept override { m_real.rollback(); }
  [[nodiscard]] bool in_transaction() const override { return m_real.in_transaction(); }
  void savepoint() override { m_real.savepoint(); }
  void rollback_to_savepoint() override { m_real.rollback_to_savepoint(); }
  void release_savepoint() override { m_real.release_savepoint(); }
  [[nodiscard]] Instant now() override { return m_real.now(); }
  void interrupt() noexcept override { m_real.interrupt(); }

  [[nodiscard]] int commits() const { return m_commits; }

 private:
  Connection& m_real;
  bool m_writing = false;
  int m_begins = 0, m_commits = 0;
};

/// Six stuck tasks; the run goes through a connection with faults. The journal is there already, so that write
/// transactions are the run's own.
class FaultScene {
 public:
  explicit FaultScene(Engine engine)
      : scene{temp_database(engine, queue_sql(engine, 6)), parse_profile(k_queue_profile, "queue.toml"), k_queue_now},
        faulty{scene.connection()},
        m_store{faulty, scene.profile(), scene.store().schema()},
        m_journal{faulty} {
    scene.journal().create();
  }

  ApplyResult apply(ApplyOptions options = {}) {
    options.batch_size = 2;
    const Plan plan = scene.reconcile();
    record = scene.record_for(plan);
    return Applier{m_store, m_journal, std::move(options)}.apply(plan, record);
  }
  [[nodiscard]] std::string failed_tasks() {
    return scene.database().value("SELECT count(*) FROM tasks WHERE state = 'failed'").value_or("");
  }

  RepairScene scene;
  FaultyConnection faulty;
  RunRecord record;

 private:
  TaskStore m_store;
  Journal m_journal;
};

class LostLock final : public RunLock {
 public:
  void check() override {
    if (++m_checks > 1) {
      throw Error{ExitCode::unavailable, "the run lock is gone"};
    }
  }

 private:
  int m_checks = 0;
};

}  // namespace

TEST_CASE("a batch that is busy at commit is done again once") {
  const auto engine = GENERATE(Engine::sqlite, Engine::postgres);
  FaultScene test{engine};
  test.faulty.on_commit = [](int number) {
    if (number == 1 || number == 3) {
      throw BusyError{"database is locked"};
    }
  };
  const ApplyResult result = test.apply();
  CHECK(result.run.applied == 6);
  CHECK(result.run.busy == 0);
  CHECK(test.faulty.commits() == 6);  // three batches, two repeated, and the end of the run
  CHECK(test.failed_tasks() == "6");
  CHECK(test.scene.entries(result.run.id).size() == 24);
  CHECK(test.scene.rows("events").size() == 6);
}

TEST_CASE("a database that stays locked makes everything busy at once") {
  const auto engine = GENERATE(Engine::sqlite, Engine::postgres);
  FaultScene test{engine};
  int begins = 0;
  test.faulty.on_begin = [&begins](int number) {
    begins = number;
    throw BusyError{"database is locked"};
  };
  const ApplyResult result = test.apply();
  CHECK(result.run.busy == 6);
  CHECK(begins == 4);  // one try and three retries of the first batch; the others are not tried
  CHECK(report_on(result, "6").detail == "database is locked");
  CHECK(test.failed_tasks() == "0");
  CHECK(test.scene.journal().runs(1).empty());
}

TEST_CASE("a commit whose outcome is unknown ends the run in doubt") {
  const auto engine = GENERATE(Engine::sqlite, Engine::postgres);
  const int lost = GENERATE(1, 2);
  FaultScene test{engine};
  test.faulty.after_commit = [lost](int number) {
    if (number == lost) {
      throw InDoubtError{"the connection was lost during COMMIT"};
    }
  };
  try {
    test.apply();
    FAIL("went on");
  } catch (const InDoubtError& error) {
    CHECK(error.code() == ExitCode::in_doubt);
    CHECK_THAT(error.hint(), Contains("taskctl history show " + test.record.id));
  }
  CHECK_FALSE(test.scene.connection().in_transaction());
  CHECK(test.failed_tasks() == std::to_string(lost * 2));
  CHECK(test.scene.journal().find_run(test.record.id)->state == RunState::started);
}

TEST_CASE("a commit whose outcome can be found out is not in doubt") {
  const auto engine = GENERATE(Engine::sqlite, Engine::postgres);
  const int lost = GENERATE(1, 2);
  const bool committed = GENERATE(true, false);
  FaultScene test{engine};
  const auto lose = [&](int number) {
    if (number == lost) {
      throw InDoubtError{"the connection was lost during COMMIT"};
    }
  };
  (committed ? test.faulty.after_commit : test.faulty.on_commit) = lose;
  std::int64_t asked_for = 0;
  const ApplyOptions options{.was_committed = [&](const std::string& run, std::int64_t sequence) {
    CHECK(run == test.record.id);
    asked_for = sequence;
    return std::optional{committed};
  }};
  const int saved = (lost - (committed ? 0 : 1)) * 2;
  if (saved == 0) {
    try {
      test.apply(options);
      FAIL("went on");
    } catch (const Error& error) {
      CHECK(error.code() == ExitCode::unavailable);
      CHECK_THAT(error.message(), Contains("that batch was rolled back"));
    }
  } else {
    const ApplyResult result = test.apply(options);
    CHECK(result.run.applied == saved);
    CHECK(result.run.failed == 0);
    CHECK(result.not_tried == 6 - saved);
    CHECK_THAT(result.failure, Contains(committed ? "which was saved" : "was rolled back"));
    CHECK(test.scene.entries(result.run.id).size() == static_cast<std::size_t>(saved) * 4);
  }
  CHECK(asked_for == lost * 8);
  CHECK(test.failed_tasks() == std::to_string(saved));
}

TEST_CASE("a second signal rolls the running batch back") {
  const auto engine = GENERATE(Engine::sqlite, Engine::postgres);
  const bool in_first_batch = GENERATE(true, false);
  FaultScene test{engine};
  StopSource stop;
  test.faulty.on_run = [&](std::string_view sql) {
    const bool writes = sql.find("DELETE FROM") != std::string_view::npos;
    if (writes && (in_first_batch || test.faulty.commits() > 0) && !stop.requested()) {
      stop.request(15);
      stop.request(15);
      throw InterruptedError{"the running statement was interrupted"};
    }
  };
  const ApplyResult result = test.apply({.stop = &stop});
  CHECK(result.stopped);
  CHECK(result.run.state == RunState::stopped);
  CHECK(result.run.applied == (in_first_batch ? 0 : 2));
  CHECK(result.run.failed == 0);
  CHECK(test.failed_tasks() == (in_first_batch ? "0" : "2"));
  CHECK(test.scene.journal().runs(5).size() == (in_first_batch ? 0 : 1));
  CHECK_FALSE(test.scene.connection().in_transaction());
}

TEST_CASE("an interruption that nobody asked for is an error") {
  FaultScene test{Engine::postgres};
  test.faulty.on_run = [](std::string_view sql) {
    if (sql.find("DELETE FROM") != std::string_view::npos) {
      throw InterruptedError{"cancelled by another session"};
    }
  };
  CHECK_THROWS_AS(test.apply(), InterruptedError);
  CHECK(test.failed_tasks() == "0");
}

TEST_CASE("a lost run lock ends the run before the next batch") {
  const auto engine = GENERATE(Engine::sqlite, Engine::postgres);
  FaultScene test{engine};
  LostLock lock;
  const ApplyResult result = test.apply({.lock = &lock});
  CHECK(result.run.applied == 2);
  CHECK(result.not_tried == 4);
  CHECK(result.reports.empty());
  CHECK(result.run.state == RunState::failed);
  CHECK(result.failure == "the run lock is gone");
  CHECK(test.failed_tasks() == "2");
}

TEST_CASE("a run whose end cannot be journalled keeps its result") {
  const auto engine = GENERATE(Engine::sqlite, Engine::postgres);
  FaultScene test{engine};
  test.faulty.on_commit = [](int number) {
    if (number == 4) {
      throw Error{ExitCode::failed, "disk is full"};
    }
  };
  const ApplyResult result = test.apply();
  CHECK(result.run.applied == 6);
  REQUIRE(result.warnings.size() == 1);
  CHECK_THAT(result.warnings[0], Contains("disk is full"));
  CHECK(test.failed_tasks() == "6");
  CHECK(result.status_after.at("failed") == 6);
}

TEST_CASE("batches that never hold still fail one by one") {
  // The write of a batch is refused as a whole until its units are written apart.
  FaultScene test{Engine::sqlite};
  int refusals = 0;
  test.faulty.on_commit = [&refusals](int number) {
    if (number <= 2) {
      ++refusals;
      throw ConstraintError{"a deferred constraint"};
    }
  };
  const ApplyResult result = test.apply();
  CHECK(refusals == 2);
  CHECK(result.run.applied == 6);
  CHECK(test.scene.entries(result.run.id).size() == 24);
}
