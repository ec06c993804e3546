#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <unordered_map>

#include "store/connection.hpp"
#include "store/location.hpp"

namespace pqxx {
class result;
}

namespace taskctl::postgres {

struct Session;

/// One PostgreSQL session through libpqxx. Values are texts or Null, parameters are sent as text.
///
/// The session's settings are pinned, so that `column::text` means the same in every run: UTC, ISO dates, hex bytea,
/// shortest exact floats, UTF-8 (the bytes themselves where the database has no encoding). A session that is lost stays
/// lost: libpqxx's silent reconnect, which would drop settings and the run lock, is switched off.
///
/// Access::read sets default_transaction_read_only, and begin() always says READ ONLY besides. It guards against our
/// own mistakes, not against SQL that turns the setting off outside a transaction.
class PostgresConnection final : public Connection {
 public:
  /// Connects. Throws Error{unavailable} or Error{access} within connect_timeout per host, Error{mismatch} for a
  /// server older than 13.
  PostgresConnection(const Location& location, Access access, const OpenOptions& options);
  ~PostgresConnection() override;
  PostgresConnection(const PostgresConnection&) = delete;
  PostgresConnection& operator=(const PostgresConnection&) = delete;

  [[nodiscard]] Engine engine() const override { return Engine::postgres; }
  [[nodiscard]] Access access() const override { return m_access; }
  [[nodiscard]] const ServerInfo& server() const override { return m_server; }

  /// A statement text that is run for the second time is prepared on the server.
  std::int64_t run(std::string_view sql, std::span<const Value> parameters = {}, const RowSink& sink = {}) override;
  /// Rows arrive one by one (libpq's single-row mode, where the query may run on several processes, which a cursor
  /// prevents). Within a transaction only; when `sink` throws, the transaction is over.
  void stream(std::string_view sql, std::span<const Value> parameters, const RowSink& sink) override;

  void begin(Access access) override;
  void commit() override;
  void rollback() noexcept override;
  [[nodiscard]] bool in_transaction() const override { return m_in_transaction; }

  void savepoint() override;
  void rollback_to_savepoint() override;
  void release_savepoint() override;

  [[nodiscard]] Instant now() override;

  /// Also stops a transaction that is between two statements: its next statement or COMMIT throws.
  void interrupt() noexcept override;

 private:
  void pin_settings(const OpenOptions& options);
  void read_server_info();
  void check_settings(const Row& row) const;
  /// A statement of ours without parameters, several with ';' between them allowed.
  void command(const std::string& text);
  pqxx::result execute(std::string_view sql, std::span<const Value> parameters);
  void require_usable();
  /// Whether interrupt() was called. A writer's is over with that, a reader's stays.
  bool take_interrupt();
  /// Turns the exception being handled, which `sql` brought about, into one of base/error.hpp.
  [[noreturn]] void fail(std::string_view sql, bool committing = false);

  Location m_location;
  OpenOptions m_options;
  std::string m_where;
  Access m_access;
  std::int64_t m_lock_timeout_ms;
  std::int64_t m_write_timeout_ms;
  ServerInfo m_server;
  std::unique_ptr<Session> m_session;
  bool m_in_transaction = false;
  Access m_transaction_access = Access::read;
  bool m_transaction_failed = false;  ///< the server refuses everything but ROLLBACK
  std::atomic<bool> m_interrupted{false};
};

}  // namespace taskctl::postgres
