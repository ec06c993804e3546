#include "store/postgres/lock_report.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "sql/dialect.hpp"
#include "sql/statements.hpp"
#include "store/postgres/client_tools.hpp"
#include "store/postgres/conninfo.hpp"
#include "store/postgres/session.hpp"

namespace taskctl::postgres {
namespace {

constexpr std::size_t k_named = 3;

struct Holder {
  std::string table;
  std::string process;
  std::string text;
};

std::string field(const pqxx::row& row, int column) {
  return row[column].is_null() ? std::string{} : row[column].as<std::string>();
}

/// "server process 812 (application 'psql', role 'ann', idle in transaction, since 2025-12-19T08:54:56Z)"
Holder to_holder(const pqxx::row& row) {
  std::vector<std::string> known;
  const auto add = [&known](const char* form, const std::string& value) {
    if (!value.empty()) {
      known.push_back(fmt::format(fmt::runtime(form), printable(value)));
    }
  };
  add("application '{}'", field(row, 3));
  add("role '{}'", field(row, 4));
  add("{}", field(row, 5));
  add("since {}", field(row, 6));
  add("waits itself for process {}", field(row, 7));
  const std::string process = field(row, 2);
  return {.table = printable(field(row, 0) + "." + field(row, 1)),
          .process = process,
          .text = "server process " + process + (known.empty() ? "" : " (" + join(known, ", ") + ")")};
}

/// The relation that the server's CONTEXT names, with its quotes; empty when it names none.
std::string quoted_relation(const std::string& context) {
  const std::size_t end = context.rfind('"');
  const std::size_t begin = end == std::string::npos || end == 0 ? std::string::npos : context.rfind('"', end - 1);
  return begin == std::string::npos ? std::string{} : context.substr(begin, end - begin + 1);
}

std::vector<Holder> find_holders(const Location& location, const OpenOptions& options, const ServerInfo& server,
                                 const LockWait& wait) {
  std::vector<Holder> holders;
  const std::string relation = quoted_relation(wait.context);
  try {
    const Location same_host = other_database(location, server, server.database);
    Session session{session_options(same_host, options).text()};
    session.work.exec("SET lock_timeout = 200; SET statement_timeout = 2000");
    const auto ask = [&](const std::string& tables) {
      const std::string text{Dialect{Engine::postgres}.statements().lock_holders};
      for (const pqxx::row& row : session.work.exec_params(text, tables, wait.context.empty() ? "false" : "true")) {
        holders.push_back(to_holder(row));
      }
    };
    ask(relation.empty() ? wait.sql : relation);
    if (holders.empty() && relation.empty()) {
      ask("");  // the statement names its tables by parameters, or not at all
    }
  } catch (const std::exception&) {
    holders.clear();  // full, gone, or too busy: the wait itself is reported all the same
  }
  return holders;
}

std::string named_holders(const std::vector<Holder>& holders) {
  std::vector<std::string> texts;
  for (const Holder& holder : holders) {
    if (std::find(texts.begin(), texts.end(), holder.text) == texts.end()) {
      texts.push_back(holder.text);
    }
  }
  const std::size_t more = texts.size() > k_named ? texts.size() - k_named : 0;
  texts.resize(texts.size() - more);
  return join(texts, ", ") + (more == 0 ? "" : fmt::format(" and {} more", more));
}

}  // namespace

void throw_lock_timeout(const Location& location, const OpenOptions& options, const ServerInfo& server,
                        const LockWait& wait, const std::string& message) {
  const std::vector<Holder> holders = find_holders(location, options, server, wait);
  // Writers wait for a second at most: whoever waits for a table lock lets others queue behind.
  const std::string again = wait.access == Access::write
                                ? "Try again when it is over"
                                : "Try again when it is over, or wait longer with --lock-timeout";
  if (holders.empty()) {
    throw BusyError{message + (wait.context.empty() ? "" : " (" + wait.context + ")"), again + "."};
  }
  const Holder& first = holders.front();
  if (!wait.context.empty()) {
    throw BusyError{
        fmt::format("a row of '{}' is locked, perhaps by {}: {}", first.table, named_holders(holders), message),
        again + "; pg_stat_activity shows what these sessions do."};
  }
  throw BusyError{
      fmt::format("'{}' is locked by {}: {}", first.table, named_holders(holders), message),
      fmt::format("{}; an administrator ends it with: SELECT pg_terminate_backend({});", again, first.process)};
}

}  // namespace taskctl::postgres
