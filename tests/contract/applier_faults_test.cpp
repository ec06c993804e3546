#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "contract/repair_scene.hpp"
#include "store/reconnectable.hpp"

using namespace taskctl;
using namespace taskctl::test;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;

namespace {

/// Passes everything on, after the test had its chance to throw.
class FaultyConnection final : public Connection, public Reconnectable {
 public:
  explicit FaultyConnection(Connection& real) : m_real{real} {}

  std::function<void(std::string_view sql)> on_run = [](std::string_view) {};
  std::function<void(int number)> on_begin = [](int) {};   ///< of write transactions, from 1
  std::function<void(int number)> on_commit = [](int) {};  ///< of write transactions, from 1; before it happens
  std::function<void(int number)> after_commit = [](int) {};
  std::function<void(int number)> on_reconnect = [](int) {};
  CommitState commit_state = CommitState::unknown;
  bool others = false;  ///< whether they write

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
  [[nodiscard]] bool others_write() const override { return others; }
  [[nodiscard]] Instant now() override { return m_real.now(); }
  void interrupt() noexcept override { m_real.interrupt(); }

  void reconnect() override {
    m_real.rollback();
    on_reconnect(++m_reconnections);
  }
  [[nodiscard]] CommitState last_commit() override { return commit_state; }

  [[nodiscard]] int commits() const { return m_commits; }
  [[nodiscard]] int reconnections() const { return m_reconnections; }

 private:
  Connection& m_real;
  bool m_writing = false;
  int m_begins = 0, m_commits = 0, m_reconnections = 0;
};

/// Six stuck tasks; the run goes through a connection with faults. The journal is there already, so that write
/// transactions are the run's own.
class FaultScene {
 public:
  explicit FaultScene(Engine engine, int tasks = 6)
      : scene{temp_database(engine, queue_sql(engine, tasks)), parse_profile(k_queue_profile, "queue.toml"),
              k_queue_now},
        faulty{scene.connection()},
        m_store{faulty, scene.profile(), scene.store().schema()},
        m_journal{faulty} {
    scene.journal().create();
  }

  ApplyResult apply(ApplyOptions options = {}) {
    options.batch_size = options.batch_size == 0 ? 2 : options.batch_size;
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
  void retake() override { m_checks = 0; }

 private:
  int m_checks = 0;
};

}  // namespace

TEST_CASE("a batch that is busy at commit is done again once") {
  const auto engine = GENERATE(from_range(test::engines()));
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
  const auto engine = GENERATE(from_range(test::engines()));
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
  const auto engine = GENERATE(from_range(test::engines()));
  const int lost = GENERATE(1, 2);
  FaultScene test{engine};
  test.faulty.after_commit = [lost](int number) {
    if (number == lost) {
      throw InDoubtError{"the connection was lost during COMMIT"};
    }
  };
  test.faulty.on_reconnect = [](int) { throw Error{ExitCode::access, "the password was changed"}; };
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

TEST_CASE("a commit whose answer is lost is looked up and the run goes on") {
  const auto engine = GENERATE(from_range(test::engines()));
  const int lost = GENERATE(1, 2, 4);  // 4: the end of the run
  const bool committed = GENERATE(true, false);
  FaultScene test{engine};
  const auto lose = [&](int number) {
    if (number == lost) {
      throw InDoubtError{"the connection was lost during COMMIT"};
    }
  };
  (committed ? test.faulty.after_commit : test.faulty.on_commit) = lose;
  const ApplyResult result = test.apply({.reconnect_wait = 1s});
  CHECK(result.run.applied == 6);
  CHECK(result.run.state == RunState::done);
  CHECK(result.failure.empty());
  CHECK(result.warnings == std::vector<std::string>{"the connection was lost and made again"});
  CHECK(test.faulty.reconnections() == 1);
  CHECK(test.failed_tasks() == "6");
  CHECK(test.scene.entries(result.run.id).size() == 24);
  CHECK(test.scene.rows("events").size() == 6);
  CHECK(test.scene.journal().find_run(test.record.id)->state == RunState::done);
}

TEST_CASE("a commit that the server cannot account for is in doubt") {
  const auto engine = GENERATE(from_range(test::engines()));
  const auto state = GENERATE(CommitState::running, CommitState::committed);
  FaultScene test{engine};
  test.faulty.commit_state = state;
  test.faulty.on_commit = [](int number) {
    if (number == 2) {
      throw InDoubtError{"the connection was lost during COMMIT"};
    }
  };
  try {
    test.apply({.reconnect_wait = 1s});
    FAIL("went on");
  } catch (const InDoubtError& error) {
    CHECK_THAT(error.message(), Contains(state == CommitState::running ? "still running" : "the journal lacks it"));
  }
  CHECK(test.failed_tasks() == "2");
}

TEST_CASE("a batch whose connection is lost is done again") {
  const auto engine = GENERATE(from_range(test::engines()));
  const int batch = GENERATE(1, 3);
  FaultScene test{engine};
  bool lost = false;
  test.faulty.on_run = [&](std::string_view sql) {
    if (!lost && test.faulty.commits() == batch - 1 && sql.find("DELETE FROM") != std::string_view::npos) {
      lost = true;
      throw ConnectionLostError{"the connection was lost"};
    }
  };
  int attempts = 0;
  test.faulty.on_reconnect = [&attempts](int number) {
    attempts = number;
    if (number < 3) {
      throw ConnectionLostError{"nobody answers"};
    }
  };
  LostLock lock;  // fails when it is looked at twice without being taken again
  const ApplyResult result = test.apply({.lock = batch == 1 ? &lock : nullptr, .reconnect_wait = 10s});
  CHECK(attempts == 3);
  CHECK(result.pauses.contains("a lost connection"));
  CHECK(result.run.applied == (batch == 1 ? 2 : 6));
  CHECK(test.failed_tasks() == (batch == 1 ? "2" : "6"));
  CHECK(test.scene.entries(result.run.id).size() == (batch == 1 ? 8 : 24));
}

TEST_CASE("connections that are lost again and again end the run") {
  const auto engine = GENERATE(from_range(test::engines()));
  FaultScene test{engine};
  test.faulty.on_begin = [](int number) {
    if (number > 1) {
      throw ConnectionLostError{"the connection was lost"};
    }
  };
  const ApplyResult result = test.apply({.reconnect_wait = 10s});
  CHECK(test.faulty.reconnections() == 5);
  CHECK(result.run.applied == 2);
  CHECK(result.not_tried == 4);
  CHECK_THAT(result.failure, Contains("was lost"));
}

TEST_CASE("a server that took over without the newest changes is told apart") {
  const auto engine = GENERATE(from_range(test::engines()));
  FaultScene test{engine};
  test.faulty.on_begin = [](int number) {
    if (number == 3) {
      throw ConnectionLostError{"the connection was lost"};
    }
  };
  const std::string changes = engine == Engine::sqlite ? "taskctl_changes" : "taskctl.taskctl_changes";
  test.faulty.on_reconnect = [&](int) { test.scene.database().exec("DELETE FROM " + changes + " WHERE sequence > 8"); };
  try {
    test.apply({.reconnect_wait = 1s});
    FAIL("went on");
  } catch (const InDoubtError& error) {
    CHECK_THAT(error.message(), Contains("has 8 of the 16 changes") && Contains("missing: 3, 4"));
    CHECK_THAT(error.hint(), Contains("taskctl resume " + test.record.id));
  }
  CHECK(test.failed_tasks() == "4");
}

TEST_CASE("a second signal rolls the running batch back") {
  const auto engine = GENERATE(from_range(test::engines()));
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
  const auto engine = GENERATE(from_range(test::engines()));
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
  const auto engine = GENERATE(from_range(test::engines()));
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

TEST_CASE("others who write get room after each batch unless pauses were asked for") {
  const auto engine = GENERATE(from_range(test::engines()));
  const auto pauses = [engine](bool others, Duration sleep) {
    FaultScene test{engine, engine == Engine::sqlite ? 250 : 125};
    test.faulty.others = others;
    ApplyOptions options;
    options.batch_size = 1;
    options.sleep = sleep;
    return test.apply(options).pauses;
  };
  const auto beside = pauses(true, {});
  REQUIRE(beside.size() == 1);
  CHECK(beside.begin()->first == "others who write");
  CHECK(beside.begin()->second >= 1s);
  CHECK(pauses(false, {}).empty());
  const auto asked = pauses(true, 1us);
  REQUIRE(asked.size() == 1);
  CHECK(asked.begin()->first == "--sleep");
}
