#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "store/connection.hpp"
#include "store/location.hpp"
#include "store/postgres/lost_session.hpp"
#include "store/postgres/patience.hpp"
#include "store/postgres/session_settings.hpp"
#include "store/reconnectable.hpp"

namespace pqxx {
class result;
}

namespace taskctl::postgres {

struct Session;

/// One PostgreSQL session through libpqxx. Values are texts or Null, parameters are sent as text.
///
/// The session's settings are pinned, so that `column::text` means the same in every run: UTC, ISO dates, hex bytea,
/// shortest exact floats, UTF-8 (the bytes themselves where the database has no encoding). A session that is lost stays
/// lost until reconnect(): libpqxx's silent reconnect, which would drop settings and the run lock, is switched off.
///
/// No wait for the server is endless. A statement with a timeout is given up a little later than the server should have
/// ended it; any other when the server, asked over a second connection, does not work on it. After interrupt() the
/// server has two seconds left.
///
/// Access::read sets default_transaction_read_only, and begin() always says READ ONLY besides. It guards against our
/// own mistakes, not against SQL that turns the setting off outside a transaction.
class PostgresConnection final : public Connection, public Reconnectable {
 public:
  /// Connects. Throws Error{unavailable} or Error{access} within connect_timeout per host, Error{mismatch} for a
  /// server older than 13, Error{refused} when it is to write through a pool in transaction mode. Of several hosts, one
  /// that can be written is taken for writing.
  PostgresConnection(const Location& location, Access access, const OpenOptions& options);
  ~PostgresConnection() override;
  PostgresConnection(const PostgresConnection&) = delete;
  PostgresConnection& operator=(const PostgresConnection&) = delete;

  [[nodiscard]] Engine engine() const override { return Engine::postgres; }
  [[nodiscard]] Access access() const override { return m_access; }
  [[nodiscard]] const ServerInfo& server() const override { return m_server; }

  /// A statement text that is run for the second time is prepared on the server, unless a pool is in between.
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

  [[nodiscard]] bool others_write() const override { return m_others_write; }
  [[nodiscard]] Instant now() override;

  /// Also stops a transaction that is between two statements: its next statement or COMMIT throws.
  void interrupt() noexcept override;

  void reconnect() override;
  [[nodiscard]] CommitState last_commit() override;

 private:
  void connect();
  void pin_settings();
  void read_server_info();
  void check_settings(const std::string& settings) const;
  [[nodiscard]] std::string identity_of(const std::string& system, const std::string& database_oid) const;
  /// For the statements of the transaction that is open, or of none.
  void set_patience();
  bool is_at_work();
  [[nodiscard]] bool gives_up_connecting() const;
  void lose_session();
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
  std::string m_connection_string;
  std::string m_where;
  Access m_access;
  std::int64_t m_write_timeout_ms;
  SessionSettings m_settings;
  ServerInfo m_server;
  ServerProcess m_process;
  bool m_pooled = false;       ///< somebody stands between us and the server who may share its processes among clients
  std::mutex m_session_mutex;  ///< for interrupt(), which another thread calls
  std::unique_ptr<Session> m_session;
  Patience m_patience;
  std::string m_transaction_id;       ///< of the last transaction that wrote; empty: it had none
  bool m_others_write = false;        ///< beside the last transaction that wrote
  bool m_rolled_back_a_part = false;  ///< of the open transaction, which looks like the end of somebody else's
  bool m_in_transaction = false;
  Access m_transaction_access = Access::read;
  bool m_transaction_failed = false;  ///< the server refuses everything but ROLLBACK
  std::atomic<bool> m_interrupted{false};
};

}  // namespace taskctl::postgres
