#include "support/databases.hpp"

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <utility>

#include <libpq-fe.h>
#include <sqlite3.h>

namespace taskctl::test {

namespace {

bool keep_databases() {
  const char* keep = std::getenv("TASKCTL_KEEP_TEST_DB");
  return keep != nullptr && *keep != '\0';
}

class SqliteFile final : public TempDatabase {
 public:
  explicit SqliteFile(const std::string& sql) : m_file{m_folder.path() / "tasks.db"} {
    if (sqlite3_open(m_file.c_str(), &m_db) != SQLITE_OK) {
      const std::string why = sqlite3_errmsg(m_db);
      sqlite3_close(m_db);
      throw std::runtime_error{m_file.string() + ": " + why};
    }
    sqlite3_busy_timeout(m_db, 5000);
    try {
      exec(sql);
    } catch (...) {
      sqlite3_close(m_db);
      throw;
    }
  }
  ~SqliteFile() override { sqlite3_close(m_db); }
  SqliteFile(const SqliteFile&) = delete;
  SqliteFile& operator=(const SqliteFile&) = delete;

  [[nodiscard]] Engine engine() const override { return Engine::sqlite; }
  [[nodiscard]] std::string location() const override { return m_file.string(); }

  void exec(const std::string& sql) override {
    char* message = nullptr;
    if (sqlite3_exec(m_db, sql.c_str(), nullptr, nullptr, &message) != SQLITE_OK) {
      const std::string why = message != nullptr ? message : "unknown error";
      sqlite3_free(message);
      throw std::runtime_error{why + " in: " + sql};
    }
  }

  std::vector<Cells> query(const std::string& sql) override {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(m_db, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) {
      throw std::runtime_error{std::string{sqlite3_errmsg(m_db)} + " in: " + sql};
    }
    std::vector<Cells> rows;
    int code = sqlite3_step(statement);
    for (; code == SQLITE_ROW; code = sqlite3_step(statement)) {
      rows.push_back(cells(statement));
    }
    sqlite3_finalize(statement);
    if (code != SQLITE_DONE) {
      throw std::runtime_error{std::string{sqlite3_errmsg(m_db)} + " in: " + sql};
    }
    return rows;
  }

 private:
  static Cells cells(sqlite3_stmt* statement) {
    Cells row;
    for (int i = 0; i < sqlite3_column_count(statement); ++i) {
      if (sqlite3_column_type(statement, i) == SQLITE_NULL) {
        row.emplace_back();
        continue;
      }
      const void* bytes = sqlite3_column_blob(statement, i);
      row.emplace_back(
          std::string{static_cast<const char*>(bytes), static_cast<std::size_t>(sqlite3_column_bytes(statement, i))});
    }
    return row;
  }

  TempFolder m_folder;
  std::filesystem::path m_file;
  sqlite3* m_db = nullptr;
};

/// A libpq session that throws.
class Session {
 public:
  explicit Session(const std::string& connection) : m_connection{PQconnectdb(connection.c_str())} {
    if (PQstatus(m_connection) != CONNECTION_OK) {
      const std::string why = PQerrorMessage(m_connection);
      PQfinish(m_connection);
      throw std::runtime_error{"no PostgreSQL server for the tests (run them with: pg_virtualenv -v 15 ctest …): " +
                               why};
    }
    PQsetNoticeProcessor(
        m_connection, [](void*, const char*) {}, nullptr);
  }
  ~Session() { PQfinish(m_connection); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  std::vector<Cells> run(const std::string& sql) {
    PGresult* result = PQexec(m_connection, sql.c_str());
    const ExecStatusType status = PQresultStatus(result);
    std::vector<Cells> rows;
    if (status == PGRES_TUPLES_OK) {
      for (int r = 0; r < PQntuples(result); ++r) {
        rows.push_back(cells(result, r));
      }
    }
    PQclear(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY) {
      throw std::runtime_error{std::string{PQerrorMessage(m_connection)} + " in: " + sql};
    }
    return rows;
  }

 private:
  static Cells cells(const PGresult* result, int row) {
    Cells values;
    for (int c = 0; c < PQnfields(result); ++c) {
      if (PQgetisnull(result, row, c) != 0) {
        values.emplace_back();
      } else {
        values.emplace_back(
            std::string{PQgetvalue(result, row, c), static_cast<std::size_t>(PQgetlength(result, row, c))});
      }
    }
    return values;
  }

  PGconn* m_connection;
};

std::string random_name() {
  std::random_device device;
  std::ostringstream name;
  name << "taskctl_test_" << ::getpid() << '_' << std::hex << device() << device();
  return name.str();
}

/// A database of its own on the server that the PG* variables name; they also reach taskctl, so that no password
/// stands in location().
class PostgresDatabase final : public TempDatabase {
 public:
  explicit PostgresDatabase(const std::string& sql) : m_name{random_name()} {
    if (std::getenv("PGHOST") == nullptr) {
      throw std::runtime_error{"PGHOST is not set: run the tests with 'pg_virtualenv -v 15 ctest …'"};
    }
    Session{""}.run("CREATE DATABASE " + m_name);
    try {
      m_session = std::make_unique<Session>(location());
      exec(sql);
    } catch (...) {
      drop();
      throw;
    }
  }
  ~PostgresDatabase() override { drop(); }
  PostgresDatabase(const PostgresDatabase&) = delete;
  PostgresDatabase& operator=(const PostgresDatabase&) = delete;

  [[nodiscard]] Engine engine() const override { return Engine::postgres; }
  [[nodiscard]] std::string location() const override { return "postgresql:///" + m_name; }
  void exec(const std::string& sql) override { m_session->run(sql); }
  std::vector<Cells> query(const std::string& sql) override { return m_session->run(sql); }

 private:
  void drop() noexcept {
    m_session.reset();
    if (keep_databases()) {
      return;
    }
    try {
      Session{""}.run("DROP DATABASE IF EXISTS " + m_name + " WITH (FORCE)");
    } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): the server of a test run is thrown away anyway
    }
  }

  std::string m_name;
  std::unique_ptr<Session> m_session;
};

}  // namespace

TempFolder::TempFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "taskctl-test-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    throw std::runtime_error{"cannot create a folder like " + pattern};
  }
  m_path = pattern;
}

TempFolder::~TempFolder() {
  if (!keep_databases()) {
    std::error_code ignored;
    std::filesystem::remove_all(m_path, ignored);
  }
}

std::string fixture(const std::string& name) {
  const std::filesystem::path path = std::filesystem::path{TASKCTL_FIXTURES} / name;
  std::ifstream file{path, std::ios::binary};
  if (!file) {
    throw std::runtime_error{"no fixture " + path.string()};
  }
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

std::optional<std::string> TempDatabase::value(const std::string& sql) {
  const std::vector<Cells> rows = query(sql);
  if (rows.size() != 1 || rows.front().size() != 1) {
    throw std::runtime_error{"expected one value, got " + std::to_string(rows.size()) + " rows from: " + sql};
  }
  return rows.front().front();
}

std::unique_ptr<TempDatabase> temp_sqlite(const std::string& sql) {
  return std::make_unique<SqliteFile>(sql);
}

std::unique_ptr<TempDatabase> temp_postgres(const std::string& sql) {
  return std::make_unique<PostgresDatabase>(sql);
}

std::unique_ptr<TempDatabase> temp_database(Engine engine, const std::string& sql) {
  return engine == Engine::sqlite ? temp_sqlite(sql) : temp_postgres(sql);
}

std::vector<Engine> engines() {
  const char* const only = std::getenv("TASKCTL_TEST_ENGINE");
  std::vector<Engine> result{Engine::sqlite, Engine::postgres};
  if (only != nullptr) {
    std::erase_if(result, [only](Engine engine) { return to_string(engine) != only; });
  }
  if (result.empty()) {
    throw std::runtime_error{"TASKCTL_TEST_ENGINE names no engine"};
  }
  return result;
}

void end_session(TempDatabase& database, const std::string& pid) {
  database.exec("SELECT pg_terminate_backend(" + pid + ")");
  for (int i = 0; i < 500; ++i) {
    if (database.value("SELECT count(*) FROM pg_stat_activity WHERE pid = " + pid) == "0") {
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  throw std::runtime_error{"server process " + pid + " does not end"};
}

}  // namespace taskctl::test
