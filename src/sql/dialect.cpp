#include "sql/dialect.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "sql/statements.hpp"

namespace taskctl {

namespace {

std::string quoted(std::string_view text, char quote) {
  std::string result{quote};
  for (const char c : text) {
    result.append(c == quote ? 2 : 1, c);
  }
  return result + quote;
}

/// Exact microseconds also on PostgreSQL 13, where extract() is a double. Years outside 1-9999 and infinities, which
/// could overflow, come as the server prints them.
std::string postgres_time(std::string_view x, std::string_view type) {
  const bool with_zone = type.find("with time zone") != std::string_view::npos;
  const std::string_view zone = with_zone ? "+00" : "";
  const std::string_view cast = with_zone ? "timestamptz" : "timestamp";
  return fmt::format(
      "CASE WHEN {0} >= '0001-01-01 00:00:00{1}'::{2} AND {0} < '10000-01-01 00:00:00{1}'::{2} THEN "
      "(extract(epoch FROM date_trunc('second', {0}::{2}))::bigint * 1000000 + extract(microseconds FROM "
      "{0}::{2})::bigint % "
      "1000000)::text ELSE {0}::text END",
      x, zone, cast);
}

}  // namespace

const Statements& Dialect::statements() const {
  return m_engine == Engine::sqlite ? k_sqlite_statements : k_postgres_statements;
}

std::string Dialect::identifier(std::string_view name) const {
  if (name.empty() || name.find('\0') != std::string_view::npos) {
    throw Error{ExitCode::usage, "a table or column name is empty or contains a NUL character"};
  }
  return quoted(name, '"');
}

std::string Dialect::table(const TableName& name) const {
  return name.schema.empty() ? identifier(name.name) : identifier(name.schema) + "." + identifier(name.name);
}

std::string Dialect::literal(std::string_view text) const {
  if (text.find('\0') != std::string_view::npos) {
    throw Error{ExitCode::usage, "a status contains a NUL character"};
  }
  // PostgreSQL reads backslashes literally only under standard_conforming_strings; E'' does not depend on it.
  if (m_engine == Engine::postgres && text.find('\\') != std::string_view::npos) {
    std::string escaped;
    for (const char c : text) {
      escaped.append(c == '\\' ? 2 : 1, c);
    }
    return "E" + quoted(escaped, '\'');
  }
  return quoted(text, '\'');
}

bool Dialect::can_hold(std::string_view text) const {
  return m_engine == Engine::sqlite || (text.find('\0') == std::string_view::npos && is_valid_utf8(text));
}

std::string Dialect::parameter(std::size_t number, std::string_view type) const {
  if (m_engine == Engine::sqlite) {
    return fmt::format("?{}", number);
  }
  return type.empty() || type == "text" ? fmt::format("${}::text", number) : fmt::format("${}::text::{}", number, type);
}

std::string Dialect::as_image(std::string_view expression) const {
  return m_engine == Engine::sqlite ? std::string{expression} : fmt::format("{}::text", expression);
}

std::string Dialect::as_text(std::string_view expression) const {
  return m_engine == Engine::sqlite ? fmt::format("CAST({} AS TEXT)", expression) : fmt::format("{}::text", expression);
}

std::string Dialect::as_time(std::string_view expression, std::string_view type) const {
  if (m_engine == Engine::sqlite) {
    return std::string{expression};
  }
  const bool is_time = (type.starts_with("timestamp") || type == "date") && !type.ends_with("]");
  return is_time ? postgres_time(expression, type) : fmt::format("{}::text", expression);
}

std::string Dialect::lock_clause(std::string_view alias) const {
  return m_engine == Engine::sqlite ? std::string{} : fmt::format(" FOR UPDATE OF {} SKIP LOCKED", alias);
}

}  // namespace taskctl
