#include "store/sqlite/sighting_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include "base/descriptor.hpp"
#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "store/sqlite/sqlite_uri.hpp"
#include "store/sqlite/statement.hpp"
#include "store/sqlite/vfs.hpp"

namespace taskctl {

namespace {

/// "TCFS" and the layout below: another program's file, or another version's, is not read.
constexpr std::int64_t k_file_mark = 0x54434653;
constexpr std::int64_t k_file_layout = 2;
/// Lookups under one lock: a writer's commit waits no longer than these take.
constexpr int k_lookups_per_lock = 500;
/// A lookup happens in a transaction of the target, which may keep the application's writers waiting: not for long.
constexpr Duration k_longest_lookup_wait = std::chrono::seconds{1};

// A file of our own, the same whatever database the tasks are in: not a statement of either engine's folder in sql/.
constexpr const char* k_create =
    "CREATE TABLE owner (name TEXT NOT NULL) STRICT;"
    "CREATE TABLE seen (task TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, first_seen INTEGER NOT NULL,"
    " last_seen INTEGER NOT NULL, proof TEXT NOT NULL) STRICT, WITHOUT ROWID;";
constexpr const char* k_create_observed =
    "CREATE TEMP TABLE observed (task TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, proof TEXT NOT NULL) WITHOUT ROWID";
/// Two rows with one id (1 and '1' in a key column without a type): nobody knows which was seen when.
constexpr const char* k_observe =
    "INSERT INTO temp.observed VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET fingerprint = ''";
constexpr const char* k_find = "SELECT fingerprint, first_seen, proof, last_seen FROM seen WHERE task = ?1";
/// ?1: now, ?2: before this a look is too long ago. A time ahead was noted when a clock was wrong: it counts anew too.
constexpr const char* k_count =
    "SELECT count(*), count(*) FILTER (WHERE s.task IS NULL),"
    " count(*) FILTER (WHERE s.fingerprint <> o.fingerprint OR s.last_seen NOT BETWEEN ?2 AND ?1)"
    " FROM temp.observed AS o LEFT JOIN main.seen AS s ON s.task = o.task";
constexpr const char* k_forget =
    "DELETE FROM main.seen WHERE NOT EXISTS (SELECT 1 FROM temp.observed AS o WHERE o.task = main.seen.task)";
constexpr const char* k_keep =
    "INSERT INTO main.seen (task, fingerprint, first_seen, last_seen, proof)"
    " SELECT task, fingerprint, ?1, ?1, proof FROM temp.observed WHERE true"
    " ON CONFLICT (task) DO UPDATE SET fingerprint = excluded.fingerprint, first_seen = excluded.first_seen,"
    " last_seen = excluded.last_seen, proof = excluded.proof"
    " WHERE fingerprint <> excluded.fingerprint OR last_seen NOT BETWEEN ?2 AND ?1";
constexpr const char* k_look = "UPDATE main.seen SET last_seen = ?1 WHERE task IN (SELECT task FROM temp.observed)";

constexpr const char* k_begin_anew = "Remove it: ages count anew from the next `taskctl observe`.";

std::int64_t microseconds_of(Instant at) {
  return at.time_since_epoch().count();
}

std::string proof_of(const std::string& task, const std::string& fingerprint, std::int64_t first_seen) {
  constexpr std::size_t k_digits = 16;
  return sha256(fmt::format("{} {} {} {}", first_seen, fingerprint, task.size(), task)).substr(0, k_digits);
}

class SightingFile {
 public:
  SightingFile(const SightingPlace& place, Access access) : m_path{place.file}, m_owner{place.owner} {
    const bool reading = access == Access::read;
    try {
      m_database = std::make_unique<SQLite::Database>(
          sqlite_file_uri(m_path, reading ? "mode=ro" : "mode=rw"),
          (reading ? SQLite::OPEN_READONLY : SQLite::OPEN_READWRITE) | SQLite::OPEN_URI | SQLite::OPEN_NOMUTEX, 0,
          reading ? reading_vfs() : "");
    } catch (const SQLite::Exception& error) {
      fail(error.getExtendedErrorCode(), error.what());
    }
    sqlite3_extended_result_codes(handle(), 1);
    const Duration wait = reading ? std::min(place.busy_wait, k_longest_lookup_wait) : place.busy_wait;
    sqlite3_busy_timeout(handle(),
                         static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(wait).count()));
    if (!reading && sqlite3_db_readonly(handle(), "main") != 0) {
      fail(SQLITE_READONLY, "");
    }
  }

  void execute(const char* sql) {
    if (const int code = sqlite3_exec(handle(), sql, nullptr, nullptr, nullptr); code != SQLITE_OK) {
      fail(code, sqlite3_errmsg(handle()));
    }
  }

  [[nodiscard]] SqliteStatement prepare(const char* sql) {
    SqliteStatement statement;
    if (const int code = statement.prepare(handle(), sql); code != SQLITE_OK) {
      fail(code, sqlite3_errmsg(handle()));
    }
    return statement;
  }

  /// The first row; empty when there is none.
  Row run(SqliteStatement& statement, std::span<const Value> parameters) {
    Row row(statement.column_count());
    int code = statement.bind(parameters);
    code = code == SQLITE_OK ? statement.step() : code;
    if (code == SQLITE_ROW) {
      statement.read(row);
    } else {
      row.clear();
    }
    const std::string message = sqlite3_errmsg(handle());
    statement.reset();
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
      fail(code, message);
    }
    return row;
  }

  Row run(const char* sql, std::span<const Value> parameters = {}) {
    SqliteStatement statement = prepare(sql);
    return run(statement, parameters);
  }

  [[nodiscard]] std::int64_t number(const char* sql) {
    const Row row = run(sql);
    const auto* found = row.empty() ? nullptr : std::get_if<std::int64_t>(&row[0]);
    return found == nullptr ? 0 : *found;
  }

  [[nodiscard]] bool is_new() { return number("SELECT count(*) FROM sqlite_master") == 0; }

  void create() {
    execute(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {};", k_file_mark, k_file_layout).c_str());
    execute(k_create);
    run("INSERT INTO owner VALUES (?1)", std::array{Value{m_owner}});
  }

  void require_ours() {
    if (number("PRAGMA application_id") != k_file_mark || number("PRAGMA user_version") != k_file_layout) {
      throw Error{ExitCode::mismatch, fmt::format("'{}' was not written by this version of taskctl", m_path.string()),
                  k_begin_anew};
    }
    if (const Row row = run("SELECT name FROM owner"); row.empty() || row[0] != Value{m_owner}) {
      throw Error{ExitCode::mismatch, fmt::format("'{}' is of another database or profile", m_path.string()),
                  k_begin_anew};
    }
  }

  [[noreturn]] void damaged(const std::string& how) const {
    throw Error{ExitCode::mismatch, fmt::format("'{}' is damaged: {}", m_path.string(), how), k_begin_anew};
  }

  [[nodiscard]] sqlite3* handle() const { return m_database->getHandle(); }

 private:
  [[noreturn]] void fail(int code, const std::string& message) const {
    constexpr int k_primary = 0xff;
    const std::string path = m_path.string();
    if (code == SQLITE_READONLY_ROLLBACK || code == SQLITE_READONLY_RECOVERY) {
      throw Error{ExitCode::mismatch, fmt::format("'{}' was being written by a taskctl that died", path),
                  "The next `taskctl observe` puts it in order."};
    }
    switch (code & k_primary) {
      case SQLITE_BUSY:
      case SQLITE_LOCKED:
        throw BusyError{fmt::format("'{}' is in use by another taskctl", path), "Try again when it is done."};
      case SQLITE_CORRUPT:
      case SQLITE_NOTADB:
        damaged(printable(message));  // it may quote what stands in the file
      case SQLITE_READONLY:
      case SQLITE_PERM:
      case SQLITE_AUTH:
        throw Error{ExitCode::access, fmt::format("no permission to write '{}' or beside it", path),
                    "Run taskctl as the user who owns it, or set XDG_STATE_HOME."};
      case SQLITE_CANTOPEN:
        throw Error{ExitCode::access, fmt::format("cannot open '{}' or a file beside it", path),
                    "Run taskctl as the user who owns it, or set XDG_STATE_HOME."};
      case SQLITE_FULL:
        throw Error{ExitCode::failed, fmt::format("no space left on the disk of '{}'", path), "Make room there."};
      default:
        throw Error{ExitCode::failed, fmt::format("cannot use '{}': {} ({})", path, printable(message), code)};
    }
  }

  std::filesystem::path m_path;
  std::string m_owner;
  std::unique_ptr<SQLite::Database> m_database;
};

class SqliteSightingReader final : public SightingReader {
 public:
  explicit SqliteSightingReader(const SightingPlace& place)
      : m_file{place, Access::read}, m_find{(m_file.require_ours(), m_file.prepare(k_find))} {}

  std::optional<Sighting> find(const std::string& task, const std::string& fingerprint) override {
    if (m_lookups == k_lookups_per_lock) {
      pause();
    }
    if (m_lookups++ == 0) {
      m_file.execute("BEGIN");
    }
    const Row row = m_file.run(m_find, std::array{Value{task}});
    if (row.empty() || row[0] != Value{fingerprint}) {
      return std::nullopt;
    }
    const auto* first_seen = std::get_if<std::int64_t>(&row[1]);
    if (first_seen == nullptr || row[2] != Value{proof_of(task, fingerprint, *first_seen)}) {
      m_file.damaged("a row is not as it was written");
    }
    const auto* last_seen = std::get_if<std::int64_t>(&row[3]);
    if (last_seen == nullptr || *last_seen < *first_seen) {
      m_file.damaged("a row is not as it was written");
    }
    return Sighting{.first = Instant{Duration{*first_seen}}, .last = Instant{Duration{*last_seen}}};
  }

  void pause() override {
    if (m_lookups > 0) {
      m_lookups = 0;
      m_file.execute("COMMIT");
    }
  }

 private:
  SightingFile m_file;
  SqliteStatement m_find;
  int m_lookups = 0;
};

/// mode 0600; SQLite gives its journal the same.
void create_file(const std::filesystem::path& path) {
  make_private_folder(folder_of(path));
  const Descriptor made{::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)};
  if (!made && errno != EEXIST) {
    throw_file_error("create", path, errno);
  }
}

class SqliteSightingWriter final : public SightingWriter {
 public:
  SqliteSightingWriter(const SightingPlace& place, const std::function<Instant()>& clock)
      : m_file{place, Access::write} {
    m_file.execute("BEGIN IMMEDIATE");
    m_now = microseconds_of(clock());
    if (m_file.is_new()) {
      m_file.create();
    }
    m_file.require_ours();
    m_file.execute(k_create_observed);
    m_observe = m_file.prepare(k_observe);
  }

  void add(const std::string& task, const std::string& fingerprint) override {
    m_file.run(m_observe, std::array{Value{task}, Value{fingerprint}, Value{proof_of(task, fingerprint, m_now)}});
  }

  SightingCounts finish(bool complete) override {
    const std::array now{Value{m_now}};
    const std::array since{Value{m_now}, Value{m_now - k_longest_gap.count()}};
    const Row counted = m_file.run(k_count, since);
    SightingCounts counts{.active = std::get<std::int64_t>(counted.at(0)),
                          .added = std::get<std::int64_t>(counted.at(1)),
                          .changed = std::get<std::int64_t>(counted.at(2))};
    if (complete) {
      m_file.run(k_forget);
      counts.forgotten = sqlite3_changes(m_file.handle());
    }
    m_file.run(k_keep, since);
    m_file.run(k_look, now);
    m_file.execute("COMMIT");
    return counts;
  }

 private:
  std::int64_t m_now = 0;
  SightingFile m_file;
  SqliteStatement m_observe;
};

/// What lies there; nullopt: nothing.
std::optional<struct stat> look(const std::filesystem::path& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) == 0) {
    return found;
  }
  if (errno != ENOENT && errno != ENOTDIR) {
    throw Error{ExitCode::access, fmt::format("cannot look at '{}': {}", path.string(), std::strerror(errno)),
                "Run taskctl as the user who owns it, or set XDG_STATE_HOME."};
  }
  return std::nullopt;
}

}  // namespace

SightingFiles sqlite_sighting_files() {
  return {.read = [](const SightingPlace& place) -> std::unique_ptr<SightingReader> {
            const std::optional<struct stat> found = look(place.file);
            if (!found || (S_ISREG(found->st_mode) && found->st_size == 0)) {
              return nullptr;
            }
            return std::make_unique<SqliteSightingReader>(place);
          },
          .write = [](const SightingPlace& place,
                      const std::function<Instant()>& clock) -> std::unique_ptr<SightingWriter> {
            // Only when it is missing: closing a descriptor of ours would drop the locks that SQLite has on the file.
            if (!look(place.file)) {
              create_file(place.file);
            }
            return std::make_unique<SqliteSightingWriter>(place, clock);
          }};
}

}  // namespace taskctl
