#include "engine/grants.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "profile/fragment_names.hpp"
#include "profile/table_use.hpp"
#include "sql/dialect.hpp"
#include "sql/rights.hpp"
#include "sql/statements.hpp"
#include "store/catalog.hpp"
#include "store/row_values.hpp"

namespace taskctl {

namespace {

constexpr std::size_t k_longest_name = 63;              ///< bytes; the server cuts off what is more
constexpr int k_first_read_all_data_version = 140'000;  ///< pg_read_all_data came with 14

bool is_system_schema(const std::string& schema) {
  return schema == "pg_catalog" || schema == "information_schema";
}

std::string text_at(const Row& row, std::size_t column) {
  return text_of(row.at(column)).value_or("");
}

/// "schema.name" or "name" as the functions that look names up take it: apart.
std::array<Value, 2> apart(const std::string& name) {
  const std::size_t dot = name.find('.');
  return dot == std::string::npos ? std::array<Value, 2>{std::string{}, name}
                                  : std::array<Value, 2>{name.substr(0, dot), name.substr(dot + 1)};
}

void require_role_name(const std::string& role) {
  if (role == "public" || role == "none") {
    throw Error{ExitCode::usage, fmt::format("'{}' is not the name of a role", role),
                role == "public" ? "In a GRANT it stands for everybody." : ""};
  }
  if (role.empty() || role.size() > k_longest_name || role.find('\0') != std::string::npos) {
    throw Error{ExitCode::usage, fmt::format("'{}' is not the name of a role", printable(role)),
                fmt::format("Names have 1 to {} bytes.", k_longest_name)};
  }
}

struct Surrounding {
  std::string kind;  ///< as table_surroundings says
  TableName name;
  std::string column;
};

struct UsedTable {
  TableUse use;
  TableInfo info;
  bool without_schema = false;  ///< the profile leaves its schema to the search_path
  std::vector<Surrounding> around;
};

void merge(TableUse& into, TableUse&& other) {
  into.columns.merge(other.columns);
  into.whole_rows = into.whole_rows || other.whole_rows;
  into.row_keys = into.row_keys || other.row_keys;
  into.updated.merge(other.updated);
  if (other.inserted) {
    (into.inserted ? *into.inserted : into.inserted.emplace()).merge(*other.inserted);
  }
  into.removed = into.removed || other.removed;
}

class GrantWriter {
 public:
  GrantWriter(Connection& connection, const Profile& profile, const Schema& schema, Journal& journal,
              const GrantRequest& request)
      : m_connection{connection},
        m_profile{profile},
        m_journal{journal},
        m_request{request},
        m_statements{Dialect{Engine::postgres}.statements()},
        m_repairs{request.kind == RoleKind::repairer && profile.safety != Safety::read_only} {
    read_tables(schema);
    read_functions();
  }

  GrantScript write() {
    add_role();
    add_access();
    add_reads();
    add_calls();
    if (m_repairs) {
      add_writes();
    }
    add_journal();
    add_guard_log();
    if (m_repairs) {
      add_dumps();
      add_repair_notes();
    } else if (m_request.kind == RoleKind::repairer) {
      note("the profile is read-only: a repairer needs no more than a reader");
    }
    return std::move(m_script);
  }

 private:
  struct Function {
    TableName name;
    std::string arguments;
    bool open = false;  ///< everybody may call it
  };

  void read_tables(const Schema& schema) {
    for (auto& [name, use] : table_uses(m_profile)) {
      m_activity = m_activity || name == "pg_stat_activity" || name == "pg_catalog.pg_stat_activity";
      const TableInfo* known = schema.find(name);
      TableInfo info = known != nullptr ? *known : read_table(m_connection, name);
      if (info.columns.empty() || is_system_schema(info.name.schema)) {
        continue;
      }
      const TableName resolved = info.name;
      const auto [position, is_new] =
          m_tables.try_emplace(resolved, UsedTable{.use = use, .info = std::move(info), .around = {}});
      if (!is_new) {
        merge(position->second.use, TableUse{use});
      }
      position->second.without_schema = position->second.without_schema || name.find('.') == std::string::npos;
    }
    for (auto& [name, table] : m_tables) {
      table.around = surroundings(name);
    }
  }

  std::vector<Surrounding> surroundings(const TableName& table) {
    std::vector<Surrounding> found;
    const std::array<Value, 1> parameters{Dialect{Engine::postgres}.table(table)};
    m_connection.run(m_statements.table_surroundings, parameters, [&found](const Row& row) {
      found.push_back({text_at(row, 0), {text_at(row, 1), text_at(row, 2)}, text_at(row, 3)});
    });
    return found;
  }

  /// Those that the profile's SQL calls and that did not come with the server, and any that not everybody may call.
  void read_functions() {
    std::set<std::string> names{"pg_catalog.pg_control_system"};
    for (const Fragment& fragment : m_profile.fragments) {
      names.merge(names_in(fragment).functions);
    }
    for (const std::string& name : names) {
      m_connection.run(m_statements.functions_named, apart(name), [this](const Row& row) {
        const bool open = flag_of(row.at(3));
        if (!open || !flag_of(row.at(4))) {
          m_functions.push_back({{text_at(row, 0), text_at(row, 1)}, text_at(row, 2), open});
        }
      });
    }
  }

  void add(std::string sql, std::string purpose) {
    m_script.statements.push_back({std::move(sql), std::move(purpose)});
  }
  void note(std::string text) { m_script.notes.push_back(std::move(text)); }

  void add_role() {
    const std::array<Value, 1> parameters{m_request.role};
    bool all_powerful = false;
    bool sees_all_rows = false;
    m_connection.run(m_statements.role_facts, parameters, [&](const Row& row) {
      m_script.role_exists = true;
      all_powerful = flag_of(row.at(0));
      sees_all_rows = flag_of(row.at(1));
    });
    if (!m_script.role_exists) {
      add(render_create_role(m_request.role), "the role is not there yet; it gets no password here");
    }
    if (all_powerful) {
      note("the role is a superuser: it may do all this, and everything else, already");
    }
    if (!sees_all_rows) {
      note_policies();
    }
  }

  void note_policies() {
    std::vector<std::string> tables;
    for (const auto& [name, table] : m_tables) {
      if (std::ranges::any_of(table.around, [](const Surrounding& one) { return one.kind == "policies"; })) {
        tables.push_back(name.display());
      }
    }
    if (!tables.empty()) {
      note(
          fmt::format("row-level security is on for {}: where its policies hide rows, every command ends with 10. "
                      "A superuser lets the role see all of them: {};",
                      join(tables, ", "), render_bypass_policies(m_request.role)));
    }
  }

  void add_access() {
    add(render_grant("CONNECT", "DATABASE", {"", m_connection.server().database}, m_request.role), "to connect");
    std::set<std::string> schemas;
    for (const auto& [name, table] : m_tables) {
      schemas.insert(name.schema);
      for (const Surrounding& one : table.around) {
        if (one.kind == "type" && table.use.whole_rows) {
          schemas.insert(one.name.schema);
        }
      }
      if (table.without_schema && name.schema != "public") {
        note(
            fmt::format("the profile names '{}' without its schema: the role must find it along its search_path, "
                        "for example by: {};",
                        name.name, render_search_path(m_request.role, name.schema)));
      }
    }
    for (const Function& function : m_functions) {
      if (!is_system_schema(function.name.schema)) {
        schemas.insert(function.name.schema);
      }
    }
    for (const std::string& schema : schemas) {
      add(render_grant("USAGE", "SCHEMA", {"", schema}, m_request.role), "to find tables, types and functions by name");
    }
  }

  void add_reads() {
    for (const auto& [name, table] : m_tables) {
      const TableRight right = right_to_read(table.use, table.info);
      add(render_grant(right, m_request.role), right.columns.empty() ? "rows are shown, compared or searched as a whole"
                                                                     : "only the columns that the profile reads");
    }
    if (m_activity) {
      note(fmt::format(
          "the profile reads pg_stat_activity, which shows much of other roles' sessions to members only: {};",
          render_membership("pg_read_all_stats", m_request.role)));
    }
  }

  void add_calls() {
    for (const Function& function : m_functions) {
      if (!function.open) {
        add(render_grant_call(function.name, function.arguments, m_request.role),
            function.name.name == "pg_control_system" ? "tells servers apart that have the same host and port"
                                                      : "called by the profile's SQL");
      }
      if (!is_system_schema(function.name.schema)) {
        note(
            fmt::format("the profile calls {}({}): what it reads and writes needs rights of its own, unless it is a "
                        "SECURITY DEFINER",
                        function.name.display(), function.arguments));
      }
    }
  }

  static std::string purpose_of(const TableRight& right, const TableUse& use) {
    if (right.to_lock) {
      return "rows are locked before they are deleted, which asks for UPDATE on any one column";
    }
    if (right.privilege == "UPDATE") {
      return "what repairs set, and undo sets back";
    }
    const bool planned = right.privilege == "INSERT" ? use.inserted.has_value() : use.removed;
    return right.privilege == "INSERT" ? (planned ? "rows that repairs add" : "undo puts back what repairs delete")
                                       : (planned ? "rows that repairs delete" : "undo takes away what repairs add");
  }

  void add_writes() {
    for (const auto& [name, table] : m_tables) {
      for (const TableRight& right : rights_to_write(table.use, table.info)) {
        add(render_grant(right, m_request.role), purpose_of(right, table.use));
      }
      for (const Surrounding& one : table.around) {
        if (one.kind == "default" && table.use.inserted && !table.use.inserted->contains(one.column)) {
          add(render_grant("USAGE", "SEQUENCE", one.name, m_request.role), "numbers for the rows that repairs add");
        }
      }
      if (table.use.written()) {
        note_triggers(name, table.info.triggers);
      }
    }
  }

  void note_triggers(const TableName& table, std::vector<std::string> triggers) {
    std::erase_if(triggers, [](const std::string& trigger) { return trigger.starts_with("taskctl_guard_"); });
    if (!triggers.empty()) {
      note(fmt::format(
          "{} has triggers ({}): undo also sets back columns that they change, and asks for UPDATE on those",
          table.display(), join(triggers, ", ")));
    }
  }

  void add_journal() {
    using Rights = Journal::Rights;
    const Rights rights = !m_repairs ? Rights::read : m_request.prune ? Rights::prune : Rights::write;
    const bool exists = m_journal.exists();
    if (!exists && !m_repairs) {
      note("there is no journal yet; once a repair has made it, print this again: history reads it");
      return;
    }
    if (!exists) {
      for (std::string& statement : m_journal.definition()) {
        add(std::move(statement), "the journal of repairs; whoever runs this owns it, and the role cannot drop it");
      }
    }
    for (std::string& statement : m_journal.grants(m_request.role, rights)) {
      add(std::move(statement), m_repairs ? "every run is written to the journal" : "history reads the journal");
    }
  }

  void add_guard_log() {
    const TableInfo log = read_table(m_connection, m_journal.schema_name() + ".taskctl_guard_log");
    if (!log.columns.empty()) {
      add(render_grant(TableRight{.privilege = "SELECT", .table = log.name, .columns = {}}, m_request.role),
          "guard report reads what a guard recorded");
    }
  }

  void add_dumps() {
    for (const auto& [name, table] : m_tables) {
      for (const Surrounding& one : table.around) {
        const bool partition = one.kind == "partition";
        if (table.use.written() && (partition || one.kind == "sequence")) {
          add(render_grant("SELECT", partition ? "TABLE" : "SEQUENCE", one.name, m_request.role),
              "pg_dump reads it too: --backup tables");
        }
      }
    }
  }

  void add_repair_notes() {
    note("guard install and guard remove are for the owner of the table");
    note(m_connection.server().version_number >= k_first_read_all_data_version
             ? fmt::format("taskctl backup by itself copies the whole database: {};",
                           render_membership("pg_read_all_data", m_request.role))
             : "taskctl backup by itself copies the whole database: it needs USAGE on all schemas and SELECT on all "
               "tables "
               "and sequences");
  }

  Connection& m_connection;
  const Profile& m_profile;
  Journal& m_journal;
  const GrantRequest& m_request;
  const Statements& m_statements;
  bool m_repairs;
  bool m_activity = false;  ///< the profile's SQL reads pg_stat_activity
  std::map<TableName, UsedTable> m_tables;
  std::vector<Function> m_functions;
  GrantScript m_script;
};

}  // namespace

std::string_view to_string(RoleKind kind) {
  return kind == RoleKind::reader ? "reader" : "repairer";
}

GrantScript make_grants(Connection& connection, const Profile& profile, const Schema& schema, Journal& journal,
                        const GrantRequest& request) {
  require_role_name(request.role);
  const Transaction transaction{connection, Access::read};
  return GrantWriter{connection, profile, schema, journal, request}.write();
}

}  // namespace taskctl
