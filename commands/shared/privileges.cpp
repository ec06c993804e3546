#include "commands/shared/privileges.hpp"

#include <algorithm>
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

bool may_do_everything(const TableInfo& table) {
  return table.can_delete && std::ranges::all_of(table.columns, [](const ColumnInfo& column) {
           return column.can_update && column.can_insert;
         });
}

/// Nothing where the role may do everything: the whole plan need not be read then.
std::map<TableName, Needs> needs_by_table(const Schema& schema, const Plan& plan) {
  std::map<TableName, Needs> by_table;
  if (std::ranges::all_of(plan.tables(), [&schema](const TableName& name) {
        const TableInfo* table = find_table(schema, name);
        return table == nullptr || may_do_everything(*table);
      })) {
    return by_table;
  }
  plan.for_each([&](std::size_t, const PlanUnit& unit) {
    for (const Change& change : unit.changes) {
      add_change(by_table[change.table], change);
    }
  });
  return by_table;
}

/// Rights that are missing, as people and as GRANTs say it.
struct Missing {
  std::vector<std::string> rights;
  std::string grants;

  void add_grant(const std::string& statement) {
    const std::string text = for_people(statement);
    grants += "\n" + printable(text.substr(0, text.size() - 1));
  }

  void refuse() const {
    if (!rights.empty()) {
      throw Error{ExitCode::access, fmt::format("the role lacks {}; nothing was changed", join(rights, ", ")),
                  fmt::format("Ask an administrator to run these statements, then try again ('taskctl grants --kind "
                              "repairer' prints all that repairs need):{}",
                              grants)};
    }
  }
};

/// Without the right to write the journal nothing may be written at all. A journal that is not there yet is made later.
void add_journal_rights(const Session& session, Journal::Rights rights, Missing& missing) {
  Journal& journal = *session.journal;
  if (session.connection->engine() == Engine::sqlite || !journal.exists()) {
    return;
  }
  std::vector<const char*> privileges{"SELECT", "INSERT"};
  if (rights == Journal::Rights::prune) {
    privileges.push_back("DELETE");
  }
  const std::size_t before = missing.rights.size();
  try {
    for (const char* name : {"taskctl_runs", "taskctl_changes"}) {
      const TableInfo table = read_table(*session.connection, journal.schema_name() + "." + name);
      for (const char* privilege : privileges) {
        if (const auto part = missing_part({.privilege = privilege, .table = table.name, .columns = {}}, table)) {
          missing.rights.push_back(printable(part->display()));
        }
      }
    }
  } catch (const Error& error) {
    if (error.code() != ExitCode::access) {
      throw;
    }
    missing.rights.push_back("USAGE ON SCHEMA " + printable(journal.schema_name()));
  }
  if (missing.rights.size() > before) {
    for (const std::string& grant : journal.grants(session.connection->server().user, rights)) {
      missing.add_grant(grant);
    }
  }
}

}  // namespace

void require_journal_rights(const Session& session, Journal::Rights rights) {
  Missing missing;
  add_journal_rights(session, rights, missing);
  missing.refuse();
}

void require_privileges(const Session& session, const Plan& plan) {
  Missing missing;
  for (const auto& [name, needs] : needs_by_table(session.store->schema(), plan)) {
    const TableInfo* table = find_table(session.store->schema(), name);
    for (const TableRight& right : table == nullptr ? std::vector<TableRight>{} : missing_rights(needs, *table)) {
      missing.rights.push_back(printable(right.display()));
      missing.add_grant(render_grant(right, session.connection->server().user));
    }
  }
  add_journal_rights(session, Journal::Rights::write, missing);
  missing.refuse();
}

}  // namespace taskctl
