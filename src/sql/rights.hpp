#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/value.hpp"
#include "profile/table_use.hpp"
#include "sql/schema.hpp"

namespace taskctl {

/// A right on the rows of a PostgreSQL table.
struct TableRight {
  std::string privilege;  ///< "SELECT", "UPDATE", "INSERT" or "DELETE"
  TableName table;
  std::vector<std::string> columns;  ///< empty: the whole table
  bool to_lock = false;              ///< UPDATE for the sake of SELECT … FOR UPDATE: any column would do

  /// "UPDATE (status, completed_at) ON TABLE public.tasks"
  [[nodiscard]] std::string display() const;
};

/// To read what a profile reads of a table: all of it, or the columns that the profile names.
[[nodiscard]] TableRight right_to_read(const TableUse& use, const TableInfo& table);

/// To carry out every repair of a profile in a table and to undo it, and to lock the rows before.
[[nodiscard]] std::vector<TableRight> rights_to_write(const TableUse& use, const TableInfo& table);

/// UPDATE on one column of the row's key. Whoever may not change a row may not lock it either.
[[nodiscard]] TableRight right_to_lock(const TableInfo& table);

/// The part of a right that the current role lacks.
[[nodiscard]] std::optional<TableRight> missing_part(const TableRight& right, const TableInfo& table);

/// GRANT UPDATE ("status") ON TABLE "public"."tasks" TO "role"
[[nodiscard]] std::string render_grant(const TableRight& right, const std::string& role);

/// The same for another object: kind is "DATABASE", "SCHEMA" (a name without schema), "SEQUENCE".
[[nodiscard]] std::string render_grant(const std::string& privilege, const std::string& kind, const TableName& name,
                                       const std::string& role);
/// `arguments`: as pg_get_function_identity_arguments() gives them.
[[nodiscard]] std::string render_grant_call(const TableName& function, const std::string& arguments,
                                            const std::string& role);
/// CREATE ROLE … LOGIN, without a password.
[[nodiscard]] std::string render_create_role(const std::string& role);
/// Lets a role past row-level security.
[[nodiscard]] std::string render_bypass_policies(const std::string& role);
/// Where a role looks for tables that are named without a schema.
[[nodiscard]] std::string render_search_path(const std::string& role, const std::string& schema);
/// Makes a role a member of another.
[[nodiscard]] std::string render_membership(const std::string& of, const std::string& role);

}  // namespace taskctl
