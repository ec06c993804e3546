#pragma once

#include <set>
#include <string>

#include "profile/fragment.hpp"

namespace taskctl {

/// Names that a piece of SQL uses, as far as its text tells: written as a profile writes them, "name" or "schema.name".
/// Unquoted ones in lower case, as PostgreSQL takes them.
struct FragmentNames {
  std::set<std::string>
      relations;  ///< after FROM and JOIN; may be the name of a WITH query, or a word of extract(… FROM …)
  std::set<std::string> functions;  ///< before "("; keywords such as "in" among them
};

[[nodiscard]] FragmentNames names_in(const Fragment& fragment);

}  // namespace taskctl
