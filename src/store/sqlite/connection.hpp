#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include <SQLiteCpp/Database.h>

#include "store/batching.hpp"
#include "store/connection.hpp"
#include "store/location.hpp"
#include "store/sqlite/file_state.hpp"
#include "store/sqlite/statement.hpp"

namespace taskctl {

/// A SQLite database file.
///
/// Access::read does no harm: see vfs.hpp and ReadMode. A file that is read as ReadMode::immutable is looked at again
/// when a reading transaction begins and commits, and around every statement outside of one. Changed before: it is
/// opened anew, unnoticed. Changed while it was read: BusyError, and the caller reads again; a -wal that came or went
/// while the file stayed the same is no change. A transaction that ends without commit() does not look.
///
/// Access::write first reads the file the harmless way, so that every bad file gives the same error either way. It
/// never creates a database and never changes its journal mode.
class SqliteConnection final : public Connection, public Batching {
 public:
  SqliteConnection(const Location& location, Access access, const OpenOptions& options);
  ~SqliteConnection() override;
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  [[nodiscard]] Engine engine() const override { return Engine::sqlite; }
  [[nodiscard]] Access access() const override { return m_access; }
  [[nodiscard]] const ServerInfo& server() const override { return m_server; }

  std::int64_t run(std::string_view sql, std::span<const Value> parameters = {}, const RowSink& sink = {}) override;
  void stream(std::string_view sql, std::span<const Value> parameters, const RowSink& sink) override;
  void begin(Access access) override;
  void commit() override;
  void rollback() noexcept override;
  [[nodiscard]] bool in_transaction() const override;
  void savepoint() override;
  void rollback_to_savepoint() override;
  void release_savepoint() override;
  void set_batching(bool on) override;
  void await_write(Duration longest) const override;
  [[nodiscard]] bool others_write() const override { return m_others_write; }
  [[nodiscard]] Instant now() override;
  void interrupt() noexcept override;

  // For the backup driver.
  [[nodiscard]] SQLite::Database& database() { return *m_database; }
  [[nodiscard]] const FileState& file() const { return m_file; }
  [[nodiscard]] const std::filesystem::path& path() const { return m_path; }

 private:
  /// Statements are looked up for every row that is written: without a copy of their text.
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  static int on_busy(void* self, int attempt);

  void open_for_reading();
  void open_for_writing();
  void open_handle(const std::string& uri, int flags, const char* vfs);
  void close_handle() noexcept;
  void describe();
  void execute(const char* sql);
  void begin_statement();
  void notice_others();
  void start_snapshot();
  [[nodiscard]] SqliteStatement& prepared(std::string_view sql);
  std::int64_t step_all(SqliteStatement& statement, const RowSink& sink);
  [[nodiscard]] std::optional<FileStamp> stamp_now() const;
  void reopen_if_changed();
  void require_unchanged();
  [[noreturn]] void fail(int code, const std::string& message);

  const std::filesystem::path m_path;
  const Access m_access;
  const Duration m_busy_wait;
  FileState m_file;
  ReadMode m_mode = ReadMode::shared;
  ServerInfo m_server;
  std::unique_ptr<SQLite::Database> m_database;
  /// After m_database: SQLiteCpp aborts when a statement outlives its database.
  std::unordered_map<std::string, SqliteStatement, TextHash, std::equal_to<>> m_statements;
  bool m_waited = false;  ///< for a lock since the transaction before
  bool m_others_write = false;
  std::int64_t m_data_version = 0;  ///< changes when another connection commits
  std::mutex m_handle_mutex;        ///< interrupt() against opening and closing
  /// Ends a wait for a lock, which sqlite3_interrupt() does not, and everything that only reads.
  std::atomic<bool> m_interrupted{false};
};

}  // namespace taskctl
