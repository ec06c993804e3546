#pragma once

#include <memory>
#include <string>
#include <utility>

#include "base/timestamp.hpp"
#include "engine/lister.hpp"
#include "profile/profile_reader.hpp"
#include "store/catalog.hpp"
#include "support/databases.hpp"

namespace taskctl::test {

/// A connection that answers like another one, but for what a test sets.
class ConnectionDouble final : public Connection {
 public:
  explicit ConnectionDouble(Connection& real) : m_real{real}, m_server{real.server()} {}

  void be_busy(int times) { m_busy = times; }
  void be_standby() { m_server.standby = true; }
  [[nodiscard]] int begins() const { return m_begins; }

  [[nodiscard]] Engine engine() const override { return m_real.engine(); }
  [[nodiscard]] Access access() const override { return m_real.access(); }
  [[nodiscard]] const ServerInfo& server() const override { return m_server; }
  std::int64_t run(std::string_view sql, std::span<const Value> parameters, const RowSink& sink) override {
    return m_real.run(sql, parameters, sink);
  }
  /// Busy once the rows have come: what was read until then must not be counted twice.
  void stream(std::string_view sql, std::span<const Value> parameters, const RowSink& sink) override {
    m_real.stream(sql, parameters, sink);
    if (m_busy > 0) {
      --m_busy;
      throw BusyError{"database is locked"};
    }
  }
  void begin(Access access) override {
    ++m_begins;
    m_real.begin(access);
  }
  void commit() override { m_real.commit(); }
  void rollback() noexcept override { m_real.rollback(); }
  [[nodiscard]] bool in_transaction() const override { return m_real.in_transaction(); }
  void savepoint() override { m_real.savepoint(); }
  void rollback_to_savepoint() override { m_real.rollback_to_savepoint(); }
  void release_savepoint() override { m_real.release_savepoint(); }
  [[nodiscard]] bool others_write() const override { return m_real.others_write(); }
  [[nodiscard]] Instant now() override { return m_real.now(); }
  void interrupt() noexcept override { m_real.interrupt(); }

 private:
  Connection& m_real;
  ServerInfo m_server;
  int m_busy = 0;
  int m_begins = 0;
};

/// SQL that makes every later session of this PostgreSQL database one of a role that may only read.
inline std::string only_reading() {
  return R"(DO $$
  DECLARE reader text := current_database() || '_reader';
  BEGIN
    EXECUTE format('CREATE ROLE %I', reader);
    EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA public TO %I', reader);
    EXECUTE format('ALTER DATABASE %I SET role = %I', current_database(), reader);
  END $$;)";
}

/// A fixture opened for reading under a profile, with the clock of the fixture.
class ListingScene {
 public:
  ListingScene(std::unique_ptr<TempDatabase> database, const std::string& profile, const std::string& now)
      : m_database{std::move(database)},
        m_real{m_database->open(Access::read)},
        m_connection{*m_real},
        m_profile{find_profile(profile)},
        m_schema{read_schema(m_connection, m_profile)},
        m_store{m_connection, m_profile, m_schema} {
    request.policy = m_profile.policy;
    request.now = parse_instant(now, "--now");
  }
  ListingScene(const ListingScene&) = delete;
  ListingScene& operator=(const ListingScene&) = delete;

  [[nodiscard]] TempDatabase& database() { return *m_database; }
  [[nodiscard]] ConnectionDouble& connection() { return m_connection; }
  [[nodiscard]] TaskStore& store() { return m_store; }
  /// As --max-age on the command line.
  void give_max_age(Duration age) {
    request.policy.max_age = age;
    request.policy.max_age_given = true;
  }
  [[nodiscard]] Listing list() { return list_stuck(m_store, request); }
  [[nodiscard]] std::optional<TaskReport> inspect(const std::string& id) {
    return inspect_task(m_store, TaskKey{{id}}, request.policy, request.now);
  }

  ListRequest request;

 private:
  std::unique_ptr<TempDatabase> m_database;
  std::unique_ptr<Connection> m_real;
  ConnectionDouble m_connection;
  Profile m_profile;
  Schema m_schema;
  TaskStore m_store;
};

}  // namespace taskctl::test
