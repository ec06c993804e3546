#include "store/schema_version.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "sql/render.hpp"
#include "store/row_values.hpp"

namespace taskctl {

namespace {

std::string quoted_list(std::vector<std::string> names) {
  for (std::string& name : names) {
    name = "'" + printable(name) + "'";
  }
  return join(names, ", ");
}

/// Columns that the profile's author has not seen: what they mean, and what else changed with them, nobody knows.
std::string unknown_columns(const VersionSpec& spec, const TableInfo& table) {
  std::vector<std::string> unknown;
  for (const ColumnInfo& column : table.columns) {
    if (std::ranges::find(spec.columns, column.name) == spec.columns.end()) {
      unknown.push_back(column.name);
    }
  }
  return spec.columns.empty() || unknown.empty() ? std::string{}
                                                 : fmt::format("table '{}' has columns that it does not know: {}",
                                                               table.name.display(), quoted_list(std::move(unknown)));
}

}  // namespace

SchemaVersion read_schema_version(Connection& connection, const Profile& profile, const Schema& schema) {
  SchemaVersion version;
  if (!profile.version) {
    return version;
  }
  const VersionSpec& spec = *profile.version;
  if (spec.sql && (spec.table.empty() || schema.find(spec.table) != nullptr)) {
    const RenderedStatement question = render_version(*spec.sql, Dialect{connection.engine()});
    connection.run(question.sql, question.parameters, [&](const Row& row) { version.text = text_of(row.at(0)); });
    if (std::ranges::find(spec.known, version.text.value_or("")) == spec.known.end()) {
      version.problem =
          version.text ? fmt::format("version '{}' is not one of {}", printable(*version.text), quoted_list(spec.known))
                       : "the database does not tell its version";
    }
  }
  if (const TableInfo* table = schema.find(profile.table); table != nullptr && version.known()) {
    version.problem = unknown_columns(spec, *table);
  }
  return version;
}

void require_known_version(const SchemaVersion& version, const Profile& profile) {
  if (!version.known()) {
    throw Error{ExitCode::mismatch,
                fmt::format("profile '{}' does not know this version of the tables, so nothing is written: {}",
                            profile.name, version.problem),
                fmt::format("Listing works. To repair, look at what changed, then say so in a copy of the profile: "
                            "'taskctl profile show {}' prints it.",
                            profile.name)};
  }
}

}  // namespace taskctl
