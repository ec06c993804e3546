#include "store/postgres/scratch_database.hpp"

#include <fmt/format.h>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "sql/dialect.hpp"
#include "store/postgres/row_text.hpp"

namespace taskctl::postgres {

ScratchDatabase::ScratchDatabase(const Location& location, const OpenOptions& options)
    : m_connection{location, Access::write, options}, m_name{"taskctl_verify_" + random_hex(6)} {
  const Dialect dialect{Engine::postgres};
  const Row like = m_connection
                       .query(
                           "SELECT pg_encoding_to_char(encoding)::text, datcollate::text, datctype::text"
                           " FROM pg_database WHERE datname = current_database()")
                       .at(0);
  try {
    m_connection.run(fmt::format("CREATE DATABASE {} TEMPLATE template0 ENCODING {} LC_COLLATE {} LC_CTYPE {}",
                                 dialect.identifier(m_name), dialect.literal(text_or_empty(like[0])),
                                 dialect.literal(text_or_empty(like[1])), dialect.literal(text_or_empty(like[2]))));
  } catch (const Error& error) {
    throw Error{ExitCode::backup, "no scratch database can be created to restore into: " + error.message(),
                "Give the role CREATEDB, or verify with '--verify open'."};
  }
}

ScratchDatabase::~ScratchDatabase() {
  try {
    m_connection.run("DROP DATABASE IF EXISTS " + Dialect{Engine::postgres}.identifier(m_name) + " WITH (FORCE)");
  } catch (const Error&) {
    return;  // its name says what it is; nothing else can be done about a lost server
  }
}

std::map<std::string, std::int64_t> count_tables(Connection& connection, const std::vector<TableName>& tables) {
  const Dialect dialect{Engine::postgres};
  std::map<std::string, std::int64_t> counts;
  for (const TableName& table : tables) {
    const std::string sql = "SELECT count(*)::text FROM ONLY " + dialect.table(table);
    counts[table.display()] = std::stoll(text_or_empty(connection.query(sql).at(0).at(0)));
  }
  return counts;
}

}  // namespace taskctl::postgres
