#pragma once

#include <string>

#include "store/connection.hpp"
#include "store/location.hpp"
#include "store/postgres/connection.hpp"
#include "support/databases.hpp"

namespace taskctl::test {

/// Name of a temporary database: what stands behind the last '/' of its location.
inline std::string database_of(const TempDatabase& database) {
  const std::string location = database.location();
  return location.substr(location.rfind('/') + 1);
}

/// A role that exists as long as the object; its password is its name.
class TempRole {
 public:
  TempRole(TempDatabase& database, const std::string& name, const std::string& options = "LOGIN")
      : m_database{database}, m_name{name + "_" + database_of(database)} {
    m_database.exec("CREATE ROLE " + m_name + " " + options + " PASSWORD '" + m_name + "'");
  }
  ~TempRole() {
    m_database.exec("DROP OWNED BY " + m_name);
    m_database.exec("DROP ROLE " + m_name);
  }
  TempRole(const TempRole&) = delete;
  TempRole& operator=(const TempRole&) = delete;

  [[nodiscard]] const std::string& name() const { return m_name; }
  [[nodiscard]] std::string location() const {
    return "dbname=" + database_of(m_database) + " user=" + m_name + " password=" + m_name;
  }

 private:
  TempDatabase& m_database;
  std::string m_name;
};

inline std::unique_ptr<postgres::PostgresConnection> connect(const std::string& location, Access access,
                                                             const OpenOptions& options = {}) {
  return std::make_unique<postgres::PostgresConnection>(parse_location(location), access, options);
}

/// The one text of a one-row, one-column statement.
inline std::string text(Connection& connection, const std::string& sql, std::span<const Value> parameters = {}) {
  const std::vector<Row> rows = connection.query(sql, parameters);
  if (rows.size() != 1 || rows.front().size() != 1) {
    throw std::runtime_error{"expected one value from: " + sql};
  }
  return is_null(rows[0][0]) ? "NULL" : std::get<std::string>(rows[0][0]);
}

/// Code of the Error that `action` throws; ExitCode::ok when it throws none. `message` gets its text and hint.
template <typename Action>
ExitCode code_of(Action&& action, std::string* message = nullptr) {
  try {
    action();
    return ExitCode::ok;
  } catch (const Error& error) {
    if (message != nullptr) {
      *message = error.message() + " | " + error.hint();
    }
    return error.code();
  }
}

}  // namespace taskctl::test
