#pragma once

#include <string>
#include <vector>

#include "profile/profile.hpp"
#include "sql/schema.hpp"
#include "store/connection.hpp"

namespace taskctl {

/// Reads the catalogue entries of every table that the profile names. Tables that do not exist are left out.
/// Needs no rights on the tables. In PostgreSQL a name without schema is looked up along the search_path.
Schema read_schema(Connection& connection, const Profile& profile);

/// Is there a table or view of this name?
bool has_table(Connection& connection, const std::string& name);

/// One table by name; nullptr-like (empty columns) when it does not exist.
TableInfo read_table(Connection& connection, const std::string& name);

/// Something that does not fit between profile and database.
struct SchemaProblem {
  std::string where;  ///< SourcePosition::display() of the profile, or the table
  std::string text;   ///< "table 'tasks' has no column 'started_at'"
};
/// Missing tables and columns, types that an encoding cannot read, key without a unique index, view instead of a table.
std::vector<SchemaProblem> check_schema(const Profile& profile, const Schema& schema, Engine engine);

/// Throws Error{mismatch} listing the problems, with the hint to run `taskctl profile check`.
void require_fit(const Profile& profile, const Schema& schema, Engine engine);

/// What to say of each table whose hidden rows are accepted.
std::vector<std::string> hidden_rows_warnings(const Schema& schema);

/// Throws Error{access} when row-level security hides rows of a table that is read, unless `accepted`.
void require_all_rows_visible(const Schema& schema, bool accepted);

}  // namespace taskctl
