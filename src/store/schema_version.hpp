#pragma once

#include <optional>
#include <string>

#include "profile/profile.hpp"
#include "sql/schema.hpp"
#include "store/connection.hpp"

namespace taskctl {

/// What a profile's [version] says of this database.
struct SchemaVersion {
  std::optional<std::string> text;  ///< as the database tells it; nullopt: it does not
  std::string problem;              ///< "version '9' is not one of '6', '7'"; empty: the profile knows this shape
  [[nodiscard]] bool known() const { return problem.empty(); }
};

/// Asks the database. A profile without [version] knows every shape that it fits.
SchemaVersion read_schema_version(Connection& connection, const Profile& profile, const Schema& schema);

/// Throws Error{mismatch}: a shape that nobody looked at is read and never written.
void require_known_version(const SchemaVersion& version, const Profile& profile);

}  // namespace taskctl
