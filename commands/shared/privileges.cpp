#include "commands/shared/privileges.hpp"

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "engine/row_identity.hpp"
#include "sql/rights.hpp"
#include "sql/template.hpp"
#include "store/catalog.hpp"
#include "store/journal.hpp"

namespace taskctl {

namespace {

/// What a plan asks of one table.
struct Needs {
  std::set<std::string> updated, inserted;
  bool removes = false;
  bool locks = false;
};

void add_change(Needs& needs, const Change& change) {
  needs.locks = needs.locks || !change.key.columns.empty();
  switch (change.operation) {
    case Operation::update:
      needs.updated.insert(change.written.begin(), change.written.end());
      break;
    case Operation::insert:
      needs.inserted.insert(change.written.begin(), change.written.end());
      break;
    case Operation::remove:
      needs.removes = true;
      break;
  }
}

std::vector<TableRight> missing_rights(const Needs& needs, const TableInfo& table) {
  const auto columns = [&](const char* privilege, const std::set<std::string>& names) {
    return TableRight{.privilege = privilege, .table = table.name, .columns = {names.begin(), names.end()}};
  };
  std::vector<TableRight> wanted;
  if (!needs.updated.empty()) {
    wanted.push_back(columns("UPDATE", needs.updated));
  } else if (needs.locks) {
    wanted.push_back(right_to_lock(table));
  }
  if (!needs.inserted.empty()) {
    wanted.push_back(columns("INSERT", needs.inserted));
  }
  if (needs.removes) {
    wanted.push_back({.privilege = "DELETE", .table = table.name, .columns = {}});
  }
  std::vector<TableRight> missing;
  for (const TableRight& right : wanted) {
    if (std::optional<TableRight> part = missing_part(right, table)) {
      missing.push_back(std::move(*part));
    }
  }
  return missing;
}

/// Without the right to write the journal nothing may be written at all. A journal that is not there yet is made later.
void add_journal_rights(const Session& session, std::vector<std::string>& rights, std::string& grants) {
  Journal& journal = *session.journal;
  if (session.connection->engine() == Engine::sqlite || !journal.exists()) {
    return;
  }
  const std::size_t before = rights.size();
  for (const char* name : {"taskctl_runs", "taskctl_changes"}) {
    const TableInfo table = read_table(*session.connection, journal.schema_name() + "." + name);
    for (const char* privilege : {"SELECT", "INSERT"}) {
      if (const auto part = missing_part({.privilege = privilege, .table = table.name, .columns = {}}, table)) {
        rights.push_back(printable(part->display()));
      }
    }
  }
  if (rights.size() > before) {
    for (const std::string& grant : journal.grants(session.connection->server().user, Journal::Rights::write)) {
      const std::string text = for_people(grant);
      grants += "\n" + printable(text.substr(0, text.size() - 1));
    }
  }
}

}  // namespace

void require_privileges(const Session& session, const Plan& plan) {
  std::map<TableName, Needs> by_table;
  plan.for_each([&](std::size_t, const PlanUnit& unit) {
    for (const Change& change : unit.changes) {
      add_change(by_table[change.table], change);
    }
  });
  const std::string& role = session.connection->server().user;
  std::vector<std::string> rights;
  std::string grants;
  for (const auto& [name, needs] : by_table) {
    const TableInfo* table = find_table(session.store->schema(), name);
    for (const TableRight& right : table == nullptr ? std::vector<TableRight>{} : missing_rights(needs, *table)) {
      rights.push_back(printable(right.display()));
      grants += fmt::format("\n{};", printable(render_grant(right, role)));
    }
  }
  add_journal_rights(session, rights, grants);
  if (!rights.empty()) {
    throw Error{
        ExitCode::access, fmt::format("the role lacks {}; nothing was changed", join(rights, ", ")),
        fmt::format("Ask an administrator to run these statements, then try again ('taskctl grants --kind repairer' "
                    "prints all that repairs need):{}",
                    grants)};
  }
}

}  // namespace taskctl
