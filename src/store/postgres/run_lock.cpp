#include "store/postgres/run_lock.hpp"

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "sql/dialect.hpp"
#include "sql/statements.hpp"
#include "store/postgres/conninfo.hpp"
#include "store/postgres/row_text.hpp"

namespace taskctl::postgres {
namespace {

/// "task", "ctl1" in ASCII. PostgreSQL keeps advisory locks per database, so the key needs no name of it.
const std::vector<Value> k_key{std::int64_t{0x7461736b}, std::int64_t{0x63746c31}};

bool try_lock(Connection& connection) {
  return text_or_empty(
             connection.query("SELECT pg_try_advisory_lock($1::text::int, $2::text::int)::text", k_key).at(0).at(0)) ==
         "true";
}

std::string backend_pid(Connection& connection) {
  return text_or_empty(connection.query("SELECT pg_backend_pid()::text").at(0).at(0));
}

std::vector<Row> holders(Connection& connection) {
  return connection.query(Dialect{Engine::postgres}.statements().run_lock_holder, k_key);
}

/// "taskctl reconcile ann@db1 pid 4711 (role 'app' from 10.0.0.5, backend 812), since 2025-…Z"
std::string describe(const Row& row) {
  const std::string application = text_or_empty(row[3]);
  const std::string role = text_or_empty(row[1]);
  const std::string address = text_or_empty(row[2]);
  const std::string since = text_or_empty(row[4]);
  std::string result = application.empty() ? "a session without a name" : application;
  result += " (";
  if (!role.empty()) {
    result += "role '" + role + "'" + (address.empty() ? "" : " from " + address) + ", ";
  }
  result += "server process " + text_or_empty(row[0]) + ")";
  return since.empty() ? result : result + " since " + since;
}

[[noreturn]] void refuse(Connection& connection, const Location& location) {
  const std::vector<Row> found = holders(connection);
  const std::string who = found.empty() ? "a run that has just ended" : describe(found[0]);
  throw Error{
      ExitCode::locked, "another taskctl run holds the lock of '" + location.display + "': " + who,
      "Wait for it, or give --lock-wait a time. The lock goes away with its process; there is nothing to remove."};
}

void take(Connection& connection, const Location& location, const LockRequest& request) {
  using namespace std::chrono_literals;
  if (!request.command.empty()) {
    connection.run("SELECT set_config('application_name', $1::text, false)",
                   std::vector<Value>{application_name("taskctl " + request.command)});
  }
  const auto deadline = system_clock().steady() + request.wait;
  std::chrono::steady_clock::duration pause = 20ms;
  while (!try_lock(connection)) {
    const auto left = deadline - system_clock().steady();
    if (left <= 0ms) {
      refuse(connection, location);
    }
    if (request.stop != nullptr && request.stop->requested()) {
      throw InterruptedError{"stopped while waiting for the run lock"};
    }
    std::this_thread::sleep_for(std::min<std::chrono::steady_clock::duration>(pause, left));
    pause = std::min<std::chrono::steady_clock::duration>(pause * 2, 250ms);
  }
}

class AdvisoryLock final : public RunLock {
 public:
  AdvisoryLock(Connection& connection, Location location, LockRequest request)
      : m_connection{connection},
        m_location{std::move(location)},
        m_request{std::move(request)},
        m_pid{backend_pid(connection)} {}

  ~AdvisoryLock() override {
    try {
      m_connection.run("SELECT pg_advisory_unlock($1::text::int, $2::text::int)", k_key);
    } catch (const Error&) {
      return;  // the session is gone, and the lock with it; or it goes when the session ends
    }
  }
  AdvisoryLock(const AdvisoryLock&) = delete;
  AdvisoryLock& operator=(const AdvisoryLock&) = delete;

  void check() override {
    const std::vector<Row> found = holders(m_connection);
    if (backend_pid(m_connection) != m_pid || found.empty() || text_or_empty(found[0][0]) != m_pid) {
      throw Error{ExitCode::unavailable, "the run lock is not ours any more: the database session has changed",
                  "Connect to PostgreSQL directly, or through a pooler in session mode."};
    }
  }

  /// Whoever had waited for it may have been first.
  void retake() override {
    take(m_connection, m_location, m_request);
    m_pid = backend_pid(m_connection);
  }

 private:
  Connection& m_connection;
  Location m_location;
  LockRequest m_request;
  std::string m_pid;
};

}  // namespace

std::unique_ptr<RunLock> take_run_lock(Connection& connection, const Location& location, const LockRequest& request) {
  take(connection, location, request);
  return std::make_unique<AdvisoryLock>(connection, location, request);
}

}  // namespace taskctl::postgres
