#include "store/postgres/dump_rights.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "sql/dialect.hpp"
#include "sql/statements.hpp"
#include "store/postgres/row_text.hpp"

namespace taskctl::postgres {
namespace {

struct Unreadable {
  std::string kind;  ///< as the statement says: schema, table, sequence, rls
  TableName name;
  TableName table;  ///< with which it is dumped; no name: with the whole database only
};

std::vector<Unreadable> find_unreadable(Connection& connection, const std::vector<TableName>* tables) {
  std::vector<Unreadable> found;
  connection.run(Dialect{Engine::postgres}.statements().backup_unreadable, {}, [&](const Row& row) {
    Unreadable one{.kind = text_or_empty(row[0]),
                   .name = {text_or_empty(row[1]), text_or_empty(row[2])},
                   .table = {text_or_empty(row[3]), text_or_empty(row[4])}};
    if (tables == nullptr || std::find(tables->begin(), tables->end(), one.table) != tables->end()) {
      found.push_back(std::move(one));
    }
  });
  return found;
}

std::string reason_of(const Unreadable& first, const std::string& role, std::size_t others) {
  const std::string name = printable(first.name.display());
  std::string text;
  if (first.kind == "rls") {
    text = fmt::format("row-level security of '{}' applies to role '{}'", name, printable(role));
  } else if (first.kind == "schema") {
    text = fmt::format("role '{}' has no USAGE on the schema '{}'", printable(role), printable(first.name.schema));
  } else {
    text = fmt::format("role '{}' may not read the {} '{}'", printable(role), first.kind, name);
  }
  return others == 0 ? text : fmt::format("{} and {} more object{}", text, others, others == 1 ? "" : "s");
}

std::string statement_for(const Unreadable& one, const std::string& role) {
  const Dialect dialect{Engine::postgres};
  const std::string schema = dialect.identifier(one.name.schema);
  const std::string to = dialect.identifier(role);
  if (one.kind == "rls") {
    return fmt::format("ALTER ROLE {} BYPASSRLS", to);
  }
  if (one.kind == "schema") {
    return fmt::format("GRANT USAGE ON SCHEMA {} TO {}", schema, to);
  }
  return fmt::format("GRANT SELECT ON ALL {}S IN SCHEMA {} TO {}", one.kind == "table" ? "TABLE" : "SEQUENCE", schema,
                     to);
}

}  // namespace

std::optional<DumpObstacle> find_dump_obstacle(Connection& connection, const std::vector<TableName>* tables) {
  const std::vector<Unreadable> found = find_unreadable(connection, tables);
  if (found.empty()) {
    return std::nullopt;
  }
  const std::string& role = connection.server().user;
  std::vector<std::string> statements;
  for (const Unreadable& one : found) {
    std::string statement = statement_for(one, role);
    if (std::find(statements.begin(), statements.end(), statement) == statements.end()) {
      statements.push_back(std::move(statement));
    }
  }
  return DumpObstacle{.reason = reason_of(found.front(), role, found.size() - 1),
                      .remedy = printable(join(statements, "; "))};
}

}  // namespace taskctl::postgres
