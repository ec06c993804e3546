#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "store/connection.hpp"
#include "store/location.hpp"
#include "store/postgres/connection.hpp"

namespace taskctl::postgres {

/// An empty database on the same server, with the encoding and locale of the one at `location`, dropped with the
/// object. Throws Error{backup} when the role may not create databases.
class ScratchDatabase {
 public:
  ScratchDatabase(const Location& location, const OpenOptions& options);
  ~ScratchDatabase();
  ScratchDatabase(const ScratchDatabase&) = delete;
  ScratchDatabase& operator=(const ScratchDatabase&) = delete;

  [[nodiscard]] const std::string& name() const { return m_name; }
  /// The server it lives on.
  [[nodiscard]] const ServerInfo& server() const { return m_connection.server(); }

 private:
  PostgresConnection m_connection;
  std::string m_name;
};

/// Rows of each table, as TableName::display(), in the open transaction's snapshot.
[[nodiscard]] std::map<std::string, std::int64_t> count_tables(Connection& connection,
                                                               const std::vector<TableName>& tables);

}  // namespace taskctl::postgres
