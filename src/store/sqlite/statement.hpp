#pragma once

#include <memory>
#include <span>
#include <string>

#include <sqlite3.h>

#include "store/connection.hpp"

namespace taskctl {

/// A prepared statement, on SQLite's own interface: a column of SQLiteCpp shares the ownership of its statement, which
/// costs more than reading the value. Members return SQLite's codes; the connection knows what they mean.
class SqliteStatement {
 public:
  /// nullopt-like until prepare() returned SQLITE_OK.
  SqliteStatement() = default;
  [[nodiscard]] int prepare(sqlite3* database, const std::string& sql);

  [[nodiscard]] std::size_t parameter_count() const;
  [[nodiscard]] std::size_t column_count() const;
  /// The values are not copied: they must not go away before reset().
  [[nodiscard]] int bind(std::span<const Value> parameters);
  [[nodiscard]] int step() { return sqlite3_step(m_statement.get()); }
  /// The row that step() found, into a row of column_count() values, whose texts are used again.
  void read(Row& row) const;
  /// A statement in mid-air keeps its locks.
  void reset() noexcept;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> m_statement;
};

}  // namespace taskctl
