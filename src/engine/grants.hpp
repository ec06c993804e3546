#pragma once

#include <string>
#include <vector>

#include "profile/profile.hpp"
#include "sql/schema.hpp"
#include "store/connection.hpp"
#include "store/journal.hpp"

namespace taskctl {

enum class RoleKind { reader, repairer };
[[nodiscard]] std::string_view to_string(RoleKind kind);  ///< "reader", "repairer"

struct GrantRequest {
  std::string role;
  RoleKind kind = RoleKind::reader;
  bool prune = false;  ///< repairer: `history prune` too
};

/// A statement that gives a right, and what the right is for.
struct GrantStatement {
  std::string sql;      ///< without ';'
  std::string purpose;  ///< for people
};

/// What a PostgreSQL role needs to work with a profile, and nothing more.
struct GrantScript {
  std::vector<GrantStatement> statements;  ///< in the order in which they can be run
  std::vector<std::string> notes;          ///< what no GRANT says
  bool role_exists = false;
};

/// Reads the catalogue and changes nothing. Throws Error{usage} for a name that stands for no role.
[[nodiscard]] GrantScript make_grants(Connection& connection, const Profile& profile, const Schema& schema,
                                      Journal& journal, const GrantRequest& request);

}  // namespace taskctl
