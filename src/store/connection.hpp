#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "model/value.hpp"
#include "profile/profile.hpp"

namespace taskctl {

using Row = std::vector<Value>;
/// Called once per row; the row is valid during the call. Must not use the connection.
using RowSink = std::function<void(const Row&)>;

/// What the connection may do. A property of the connection itself, not of the caller's good will.
enum class Access {
  read,  ///< cannot write: SQLite mode=ro (or immutable) + query_only; PostgreSQL default_transaction_read_only
  write,
};

/// What is known about the server once connected.
struct ServerInfo {
  std::string version;     ///< "SQLite 3.40.1", "PostgreSQL 15.8"
  int version_number = 0;  ///< 150008; SQLite 3040001
  std::string database;    ///< database name, or the real path of the file
  std::string user;        ///< role; empty for SQLite
  std::string host;        ///< as connected; empty for SQLite and for unix sockets the folder
  std::string port;
  bool standby = false;    ///< in recovery
  bool read_only = false;  ///< the server or file refuses writes
  std::string identity;    ///< see design 4.5: system identifier + database oid + host + port; path + device + inode
  std::string database_identity;  ///< the same wherever it is reached from: without host and port where that can be
};

/// One session with a database. All SQL reaches the databases through this class; everything above it is shared by
/// both. PostgreSQL values are texts (or Null); SQLite values are typed. Not thread-safe, but for interrupt(). Errors:
/// BusyError, ConstraintError, InDoubtError, InterruptedError, and Error{unavailable, access, mismatch, failed}.
class Connection {
 public:
  virtual ~Connection() = default;

  [[nodiscard]] virtual Engine engine() const = 0;
  [[nodiscard]] virtual Access access() const = 0;
  [[nodiscard]] virtual const ServerInfo& server() const = 0;

  /// Runs one statement and returns the number of rows that it changed (0 for a SELECT). Rows go to `sink`.
  /// PostgreSQL buffers the whole result of run(): use stream() for results without a small bound.
  virtual std::int64_t run(std::string_view sql, std::span<const Value> parameters = {}, const RowSink& sink = {}) = 0;

  /// Like run() for a SELECT of any size, memory flat. PostgreSQL needs an open transaction.
  virtual void stream(std::string_view sql, std::span<const Value> parameters, const RowSink& sink) = 0;

  /// Starts a transaction. Access::read: a consistent snapshot that cannot write. Access::write: SQLite BEGIN
  /// IMMEDIATE; PostgreSQL READ COMMITTED with lock and statement timeouts. Throws BusyError when a writer does not go
  /// away in time.
  virtual void begin(Access access) = 0;
  /// Throws InDoubtError when the connection is lost on the way; a SQLite BUSY here leaves the transaction open and
  /// throws BusyError.
  virtual void commit() = 0;
  /// Ends the transaction if one is open. Never throws.
  virtual void rollback() noexcept = 0;
  [[nodiscard]] virtual bool in_transaction() const = 0;

  virtual void savepoint() = 0;              ///< one level
  virtual void rollback_to_savepoint() = 0;  ///< undoes and releases it
  virtual void release_savepoint() = 0;

  /// Of the transaction that wrote last: did somebody else write beside it, or before it since the one before (SQLite:
  /// to the file, or held its lock; PostgreSQL: to any database of the server, while somebody is at work in this one)?
  /// Then transactions should be short. False where that is not known.
  [[nodiscard]] virtual bool others_write() const = 0;

  /// The database's clock (SQLite: the machine's).
  [[nodiscard]] virtual Instant now() = 0;

  /// Makes a running statement throw InterruptedError. A connection that only reads stays interrupted: all that follows
  /// throws too. The one call that other threads may make.
  virtual void interrupt() noexcept = 0;

  // Convenience over run().
  [[nodiscard]] std::vector<Row> query(std::string_view sql, std::span<const Value> parameters = {});
};

/// A transaction that rolls back unless commit() was called.
class Transaction {
 public:
  Transaction(Connection& connection, Access access) : m_connection{connection} { connection.begin(access); }
  ~Transaction() {
    if (!m_done) {
      m_connection.rollback();
    }
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit() {
    m_connection.commit();
    m_done = true;
  }

 private:
  Connection& m_connection;
  bool m_done = false;
};

}  // namespace taskctl
