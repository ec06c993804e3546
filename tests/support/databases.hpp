#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/connection.hpp"
#include "store/location.hpp"

namespace taskctl::test {

/// A folder under $TMPDIR that is removed with the object.
class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return m_path; }

 private:
  std::filesystem::path m_path;
};

/// Text of tests/fixtures/NAME ("task_queue.sqlite.sql").
std::string fixture(const std::string& name);

using Cells = std::vector<std::optional<std::string>>;

/// A database of one test: created from SQL, gone afterwards (kept when TASKCTL_KEEP_TEST_DB is set). The same verbs for
/// both engines, on a connection of the test's own that taskctl knows nothing of (raw sqlite3 / libpq).
class TempDatabase {
 public:
  virtual ~TempDatabase() = default;
  [[nodiscard]] virtual Engine engine() const = 0;
  [[nodiscard]] virtual std::string location() const = 0;         ///< for --db
  virtual void exec(const std::string& sql) = 0;                  ///< any number of statements; throws on an error
  virtual std::vector<Cells> query(const std::string& sql) = 0;   ///< every value as text, NULL as nullopt
  /// A connection of taskctl's to it.
  [[nodiscard]] std::unique_ptr<Connection> open(Access access);
  /// One value of one row; fails when there is another number of rows.
  std::optional<std::string> value(const std::string& sql);
};

/// A SQLite file in a folder of its own.
std::unique_ptr<TempDatabase> temp_sqlite(const std::string& sql);
/// A database on the server of $PGHOST/$PGPORT (scripts/test runs everything under pg_virtualenv). Throws with the command
/// that was forgotten when there is no server: a missing server is a failure, never a skipped test.
std::unique_ptr<TempDatabase> temp_postgres(const std::string& sql);
std::unique_ptr<TempDatabase> temp_database(Engine engine, const std::string& sql);

/// Both, for GENERATE(from_range(…)); with $TASKCTL_TEST_ENGINE only that one, for servers of other versions.
std::vector<Engine> engines();

/// Ends a server process and returns when it is gone.
void end_session(TempDatabase& database, const std::string& pid);

}  // namespace taskctl::test
