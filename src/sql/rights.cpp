#include "sql/rights.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "sql/dialect.hpp"

namespace taskctl {

namespace {

const Dialect k_dialect{Engine::postgres};

/// The table's columns that are wanted, in its order.
template <typename IsWanted>
std::vector<std::string> columns_where(const TableInfo& table, const IsWanted& is_wanted) {
  std::vector<std::string> names;
  for (const ColumnInfo& column : table.columns) {
    if (is_wanted(column)) {
      names.push_back(column.name);
    }
  }
  return names;
}

std::string quoted_list(const std::vector<std::string>& names) {
  std::vector<std::string> quoted;
  std::ranges::transform(names, std::back_inserter(quoted),
                         [](const auto& name) { return k_dialect.identifier(name); });
  return join(quoted, ", ");
}

bool may(const ColumnInfo& column, const std::string& privilege) {
  return privilege == "SELECT" ? column.can_select : privilege == "UPDATE" ? column.can_update : column.can_insert;
}

/// Columns that a row which is put back gives.
std::vector<std::string> columns_to_insert(const TableInfo& table) {
  return columns_where(table, [](const ColumnInfo& column) { return !column.generated; });
}

}  // namespace

std::string TableRight::display() const {
  return fmt::format("{}{} ON TABLE {}", privilege, columns.empty() ? "" : " (" + join(columns, ", ") + ")",
                     table.display());
}

TableRight right_to_read(const TableUse& use, const TableInfo& table) {
  TableRight right{.privilege = "SELECT", .table = table.name, .columns = {}};
  if (!use.whole_rows) {
    const std::vector<std::string> key = use.row_keys ? table.row_key() : std::vector<std::string>{};
    right.columns = columns_where(table, [&](const ColumnInfo& column) {
      return use.columns.contains(column.name) || std::ranges::find(key, column.name) != key.end();
    });
  }
  return right;
}

TableRight right_to_lock(const TableInfo& table) {
  const std::vector<std::string> key = table.row_key();
  return {.privilege = "UPDATE",
          .table = table.name,
          .columns = {key.empty() ? table.columns.front().name : key.front()},
          .to_lock = true};
}

std::vector<TableRight> rights_to_write(const TableUse& use, const TableInfo& table) {
  std::vector<TableRight> rights;
  if (!use.written()) {
    return rights;
  }
  const auto columns = [&](const std::set<std::string>& names) {
    return columns_where(table, [&](const ColumnInfo& column) { return names.contains(column.name); });
  };
  if (use.updated.empty()) {
    rights.push_back(right_to_lock(table));
  } else {
    rights.push_back({.privilege = "UPDATE", .table = table.name, .columns = columns(use.updated)});
  }
  if (use.inserted || use.removed) {
    rights.push_back({.privilege = "INSERT",
                      .table = table.name,
                      .columns = use.removed ? columns_to_insert(table) : columns(*use.inserted)});
    rights.push_back({.privilege = "DELETE", .table = table.name, .columns = {}});
  }
  return rights;
}

std::optional<TableRight> missing_part(const TableRight& right, const TableInfo& table) {
  if (right.privilege == "DELETE") {
    return table.can_delete ? std::nullopt : std::optional{right};
  }
  if (right.to_lock && table.can_update) {
    return std::nullopt;
  }
  TableRight missing = right;
  missing.columns = columns_where(table, [&](const ColumnInfo& column) {
    const bool is_asked_for =
        right.columns.empty() || std::ranges::find(right.columns, column.name) != right.columns.end();
    return is_asked_for && !may(column, right.privilege);
  });
  if (missing.columns.empty()) {
    return std::nullopt;
  }
  if (right.columns.empty() && missing.columns.size() == table.columns.size()) {
    missing.columns.clear();
  }
  return missing;
}

std::string render_grant(const TableRight& right, const std::string& role) {
  return fmt::format("GRANT {}{} ON TABLE {} TO {}", right.privilege,
                     right.columns.empty() ? "" : " (" + quoted_list(right.columns) + ")", k_dialect.table(right.table),
                     k_dialect.identifier(role));
}

std::string render_grant(const std::string& privilege, const std::string& kind, const TableName& name,
                         const std::string& role) {
  return fmt::format("GRANT {} ON {} {} TO {}", privilege, kind, k_dialect.table(name), k_dialect.identifier(role));
}

std::string render_grant_call(const TableName& function, const std::string& arguments, const std::string& role) {
  return fmt::format("GRANT EXECUTE ON ROUTINE {}({}) TO {}", k_dialect.table(function), arguments,
                     k_dialect.identifier(role));
}

std::string render_create_role(const std::string& role) {
  return fmt::format("CREATE ROLE {} LOGIN", k_dialect.identifier(role));
}

std::string render_bypass_policies(const std::string& role) {
  return fmt::format("ALTER ROLE {} BYPASSRLS", k_dialect.identifier(role));
}

std::string render_search_path(const std::string& role, const std::string& schema) {
  return fmt::format("ALTER ROLE {} SET search_path = {}, public", k_dialect.identifier(role),
                     k_dialect.identifier(schema));
}

std::string render_membership(const std::string& of, const std::string& role) {
  return fmt::format("GRANT {} TO {}", k_dialect.identifier(of), k_dialect.identifier(role));
}

}  // namespace taskctl
