#include "store/sqlite/connection.hpp"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include <SQLiteCpp/Exception.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "store/sqlite/sqlite_error.hpp"
#include "store/sqlite/sqlite_uri.hpp"
#include "store/sqlite/vfs.hpp"

namespace taskctl {

namespace {

/// Looks at a file whose companions are being created or removed, and the pause between two of them.
constexpr int k_opening_attempts = 15;
constexpr std::chrono::milliseconds k_opening_pause{20};
constexpr std::chrono::nanoseconds k_longest_tick{20'000'000};
constexpr int k_ticks = 5;
constexpr std::size_t k_cached_statements = 64;
constexpr int k_longest_pause_ms = 25;

/// Batches come back to the same pages of indexes and journal: they stay in memory, and the -wal grows to 16 MiB of 4
/// KiB pages before they are copied into the file.
constexpr const char* k_write_cache = "PRAGMA cache_size = -16384";
constexpr int k_pages_to_checkpoint = 4096;
/// Once others have written: fewer than SQLite's own 1,000, after which it would be for them to copy what we wrote.
constexpr int k_pages_beside_others = 900;
constexpr std::chrono::microseconds k_watch_pause{250};

/// Reads the schema: takes the snapshot and finds out what only SQLite can see (hot journal, damaged schema).
constexpr const char* k_first_read = "SELECT count(*) FROM sqlite_master";

/// Leaves a cached statement as it was found, whatever happened to it.
class StatementUse {
 public:
  explicit StatementUse(SqliteStatement& statement) : m_statement{statement} {}
  ~StatementUse() { m_statement.reset(); }
  StatementUse(const StatementUse&) = delete;
  StatementUse& operator=(const StatementUse&) = delete;

 private:
  SqliteStatement& m_statement;
};

/// Counting every allocation takes a lock of the whole process each time, and nobody reads the figures. Has to be said
/// before SQLite is used; said too late it changes nothing.
void stop_memory_statistics() {
  static const int done = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  static_cast<void>(done);
}

/// A file system counts time in ticks (4 ms, 10 at most): a file that was written in this one may be written again
/// without a newer time. False when it is old enough; else waits until it is.
bool wait_for_next_tick(const FileStamp& stamp) {
  const auto now = std::chrono::duration_cast<std::chrono::nanoseconds>(system_clock().now().time_since_epoch());
  const std::chrono::nanoseconds age = now - std::chrono::nanoseconds{stamp.modified_ns};
  if (age < std::chrono::nanoseconds{0} || age >= k_longest_tick) {
    return false;
  }
  std::this_thread::sleep_for(k_longest_tick - age);
  return true;
}

}  // namespace

SqliteConnection::SqliteConnection(const Location& location, Access access, const OpenOptions& options)
    : m_path{real_database_path(location.text)}, m_access{access}, m_busy_wait{options.busy_wait} {
  stop_memory_statistics();
  open_for_reading();
  if (access == Access::write) {
    require_writable(m_path);
    open_for_writing();
  }
  describe();
}

SqliteConnection::~SqliteConnection() {
  close_handle();
}

int SqliteConnection::on_busy(void* self, int attempt) {
  SqliteConnection& connection = *static_cast<SqliteConnection*>(self);
  connection.m_waited = true;
  // Pauses of 1, 2, … 25 ms add up to about this much before attempt n; the sum keeps the bound without a clock.
  const std::int64_t ramp = std::min<std::int64_t>(attempt, k_longest_pause_ms);
  const std::int64_t waited_ms = ramp * (ramp + 1) / 2 + std::int64_t{k_longest_pause_ms} * (attempt - ramp);
  if (connection.m_interrupted || std::chrono::milliseconds{waited_ms} >= connection.m_busy_wait) {
    return 0;
  }
  sqlite3_sleep(std::min(attempt + 1, k_longest_pause_ms));
  return 1;
}

void SqliteConnection::open_handle(const std::string& uri, int flags, const char* vfs) {
  close_handle();
  const std::lock_guard guard{m_handle_mutex};
  try {
    // One thread uses the connection; the one call of others, sqlite3_interrupt, needs no mutex of SQLite's.
    m_database = std::make_unique<SQLite::Database>(uri, flags | SQLite::OPEN_URI | SQLite::OPEN_NOMUTEX, 0,
                                                    vfs == nullptr ? "" : vfs);
  } catch (const SQLite::Exception& error) {
    throw_sqlite_error(error.getExtendedErrorCode(), error.what(), m_path.string());
  }
  sqlite3* const handle = m_database->getHandle();
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_handler(handle, &SqliteConnection::on_busy, this);
  // A mistyped "column" in double quotes is an error instead of a string.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_FKEY, 1, nullptr);
}

void SqliteConnection::close_handle() noexcept {
  const std::lock_guard guard{m_handle_mutex};
  m_statements.clear();
  m_database.reset();
}

void SqliteConnection::open_for_reading() {
  for (int attempt = 1;; ++attempt) {
    m_file = inspect_database_file(m_path);
    m_mode = choose_read_mode(m_file);
    // Of a file that is written all the time the wait is given up: its -wal will be there at the next look.
    for (int tick = 0; tick < k_ticks && m_mode == ReadMode::immutable && wait_for_next_tick(m_file.stamp); ++tick) {
      m_file = inspect_database_file(m_path);
      m_mode = choose_read_mode(m_file);
    }
    int code = SQLITE_READONLY_RECOVERY;
    std::string message;
    if (m_mode != ReadMode::recovery) {
      // readonly_shm: the index of the -wal is read, never created; nobody's -shm is ours.
      open_handle(
          sqlite_file_uri(m_path, m_mode == ReadMode::immutable ? "mode=ro&immutable=1" : "mode=ro&readonly_shm=1"),
          SQLite::OPEN_READONLY, reading_vfs());
      try {
        m_database->exec("PRAGMA query_only=ON");
        m_database->exec(k_first_read);
        return;
      } catch (const SQLite::Exception& error) {
        code = error.getExtendedErrorCode();
        message = error.what();
      }
    }
    if (!is_opening_race(code) || attempt == k_opening_attempts) {
      close_handle();
      // WAL mode with locking_mode=EXCLUSIVE has no -shm, which else is the mark of a crash.
      throw_sqlite_error(VfsFile{m_path}.is_locked_exclusively() ? SQLITE_BUSY : code, message, m_path.string());
    }
    std::this_thread::sleep_for(k_opening_pause);
  }
}

void SqliteConnection::open_for_writing() {
  m_mode = ReadMode::shared;
  open_handle(sqlite_file_uri(m_path, "mode=rw"), SQLite::OPEN_READWRITE, nullptr);
  sqlite3* const handle = m_database->getHandle();
  execute(k_write_cache);
  sqlite3_wal_autocheckpoint(handle, k_pages_to_checkpoint);
  if (sqlite3_db_readonly(handle, "main") != 0) {
    throw Error{ExitCode::access, fmt::format("no permission to write '{}'", m_path.string()),
                "Run taskctl as the user that owns the database."};
  }
}

void SqliteConnection::describe() {
  m_server.version = fmt::format("SQLite {}", sqlite3_libversion());
  m_server.version_number = sqlite3_libversion_number();
  m_server.database = m_path.string();
  m_server.read_only = ::access(m_path.c_str(), W_OK) != 0;
  m_server.identity = fmt::format("sqlite:{}:{}:{}", m_file.stamp.device, m_file.stamp.inode, m_path.string());
  m_server.database_identity = fmt::format("{}:{}", m_server.identity, m_file.stamp.created_ns);
}

void SqliteConnection::fail(int code, const std::string& message) {
  if (m_interrupted && (code & 0xff) == SQLITE_BUSY) {
    throw InterruptedError{fmt::format("waiting for a lock on '{}' was interrupted", m_path.string())};
  }
  // Without locks a writer shows as damage or nonsense; what was read is void either way.
  require_unchanged();
  throw_sqlite_error(code, message, m_path.string());
}

void SqliteConnection::execute(const char* sql) {
  const int code = sqlite3_exec(m_database->getHandle(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) {
    fail(code, sqlite3_errmsg(m_database->getHandle()));
  }
}

std::optional<FileStamp> SqliteConnection::stamp_now() const {
  try {
    return inspect_database_file(m_path).stamp;
  } catch (const Error&) {
    return std::nullopt;
  }
}

/// A -wal that has come since may hold newer rows.
void SqliteConnection::reopen_if_changed() {
  if (m_mode == ReadMode::immutable && stamp_now() != m_file.stamp) {
    open_for_reading();
  }
}

void SqliteConnection::require_unchanged() {
  if (m_mode != ReadMode::immutable) {
    return;
  }
  if (const std::optional<FileStamp> now = stamp_now(); !now || !now->has_same_content(m_file.stamp)) {
    rollback();
    throw BusyError{fmt::format("'{}' was changed while it was read", m_path.string()), "Run the command again."};
  }
}

SqliteStatement& SqliteConnection::prepared(std::string_view sql) {
  if (const auto found = m_statements.find(sql); found != m_statements.end()) {
    return found->second;
  }
  if (m_statements.size() >= k_cached_statements) {
    m_statements.clear();
  }
  std::string key{sql};
  SqliteStatement statement;
  if (const int code = statement.prepare(m_database->getHandle(), key); code != SQLITE_OK) {
    fail(code, sqlite3_errmsg(m_database->getHandle()));
  }
  return m_statements.emplace(std::move(key), std::move(statement)).first->second;
}

std::int64_t SqliteConnection::step_all(SqliteStatement& statement, const RowSink& sink) {
  sqlite3* const handle = m_database->getHandle();
  const int total_before = sqlite3_total_changes(handle);
  Row row(statement.column_count());
  int code = SQLITE_ROW;
  while ((code = statement.step()) == SQLITE_ROW) {
    if (sink) {
      statement.read(row);
      sink(row);
    }
  }
  if (code != SQLITE_DONE) {
    fail(sqlite3_extended_errcode(handle), sqlite3_errmsg(handle));
  }
  // sqlite3_changes() still tells the number of the statement before when this one wrote nothing.
  return sqlite3_total_changes(handle) == total_before ? 0 : sqlite3_changes(handle);
}

/// What came too late for the last statement of a writer does not stop the next one.
void SqliteConnection::begin_statement() {
  if (m_access == Access::write) {
    m_interrupted = false;
  } else if (m_interrupted) {
    throw InterruptedError{"reading was interrupted"};
  }
}

std::int64_t SqliteConnection::run(std::string_view sql, std::span<const Value> parameters, const RowSink& sink) {
  begin_statement();
  const bool alone = !in_transaction();
  if (alone) {
    reopen_if_changed();
  }
  SqliteStatement& statement = prepared(sql);
  if (statement.parameter_count() != parameters.size()) {
    throw Error{ExitCode::bug, fmt::format("a statement wants {} parameters and got {}", statement.parameter_count(),
                                           parameters.size())};
  }
  const StatementUse use{statement};
  if (const int code = statement.bind(parameters); code != SQLITE_OK) {
    fail(code, sqlite3_errmsg(m_database->getHandle()));
  }
  const std::int64_t changed = step_all(statement, sink);
  if (alone) {
    require_unchanged();
  }
  return changed;
}

void SqliteConnection::stream(std::string_view sql, std::span<const Value> parameters, const RowSink& sink) {
  run(sql, parameters, sink);
}

void SqliteConnection::start_snapshot() {
  execute("BEGIN");
  const int code = sqlite3_exec(m_database->getHandle(), k_first_read, nullptr, nullptr, nullptr);
  if (code == SQLITE_OK) {
    return;
  }
  const std::string message = sqlite3_errmsg(m_database->getHandle());
  rollback();
  if (m_access == Access::read && is_opening_race(code)) {
    open_for_reading();
    execute("BEGIN");
    execute(k_first_read);
    return;
  }
  fail(code, message);
}

void SqliteConnection::begin(Access access) {
  begin_statement();
  if (access == Access::write) {
    execute("BEGIN IMMEDIATE");
    try {
      notice_others();
    } catch (...) {
      rollback();
      throw;
    }
    return;
  }
  reopen_if_changed();
  start_snapshot();
}

void SqliteConnection::set_batching(bool on) {
  if (m_file.wal_mode) {
    // NORMAL: the -wal is synced before it is copied into the file, and not at every commit. What was committed later
    // is synced with what was committed before.
    execute(on ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL");
  }
}

/// By the file's time, which takes no lock. It moves in ticks of some milliseconds: a write in the tick of the last one
/// is missed, and costs the wait.
void SqliteConnection::await_write(Duration longest) const {
  const std::filesystem::path written = m_file.wal_mode ? m_path.string() + "-wal" : m_path.string();
  std::error_code gone;
  const auto before = std::filesystem::last_write_time(written, gone);
  const auto begin = system_clock().steady();
  while (!gone && system_clock().steady() - begin < longest &&
         std::filesystem::last_write_time(written, gone) == before) {
    std::this_thread::sleep_for(k_watch_pause);
  }
}

/// Writers do not tell of each other: the database has changed, or the lock was taken.
void SqliteConnection::notice_others() {
  const std::int64_t before =
      std::exchange(m_data_version, std::get<std::int64_t>(query("PRAGMA data_version").at(0).at(0)));
  m_others_write = std::exchange(m_waited, false) || (before != 0 && before != m_data_version);
  if (m_others_write) {
    sqlite3_wal_autocheckpoint(m_database->getHandle(), k_pages_beside_others);
  }
}

void SqliteConnection::commit() {
  sqlite3* const handle = m_database->getHandle();
  const int code = sqlite3_exec(handle, "COMMIT", nullptr, nullptr, nullptr);
  if (code == SQLITE_OK) {
    m_waited = false;  // for readers, in rollback mode
    require_unchanged();
    return;
  }
  const std::string message = sqlite3_errmsg(handle);
  if ((code & 0xff) == SQLITE_IOERR && !in_transaction()) {
    throw InDoubtError{fmt::format("writing '{}' failed at the commit: {} ({})", m_path.string(), message, code),
                       "Check the disk; then look with 'taskctl history' whether the run is recorded."};
  }
  fail(code, message);
}

void SqliteConnection::rollback() noexcept {
  if (m_database && in_transaction()) {
    sqlite3_exec(m_database->getHandle(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

bool SqliteConnection::in_transaction() const {
  return sqlite3_get_autocommit(m_database->getHandle()) == 0;
}

void SqliteConnection::savepoint() {
  execute("SAVEPOINT taskctl");
}

void SqliteConnection::rollback_to_savepoint() {
  if (!in_transaction()) {
    throw Error{ExitCode::failed, "the database ended the whole transaction, not one statement",
                "A trigger with RAISE(ROLLBACK) or a constraint with ON CONFLICT ROLLBACK does that."};
  }
  execute("ROLLBACK TO taskctl");
  execute("RELEASE taskctl");
}

void SqliteConnection::release_savepoint() {
  execute("RELEASE taskctl");
}

Instant SqliteConnection::now() {
  return system_clock().now();
}

void SqliteConnection::interrupt() noexcept {
  const std::lock_guard guard{m_handle_mutex};
  m_interrupted = true;
  if (m_database) {
    sqlite3_interrupt(m_database->getHandle());
  }
}

}  // namespace taskctl
