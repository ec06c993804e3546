#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "profile/profile.hpp"

namespace taskctl {

/// What a profile does with the rows of one table, over all its rules, outcomes and repairs.
struct TableUse {
  std::set<std::string> columns;  ///< that it names
  bool whole_rows = false;        ///< all columns are read: rows are shown, compared or written, or SQL may name any
  bool row_keys = false;          ///< rows are told apart by their key
  std::set<std::string> updated;  ///< columns that an update sets
  std::optional<std::set<std::string>> inserted;  ///< columns that an insert gives
  bool removed = false;

  [[nodiscard]] bool written() const { return !updated.empty() || inserted || removed; }
};

/// By the name that the profile uses. Tables that only its SQL names are among them, and whatever else stands after a
/// FROM: the database says which of those are tables. A read-only profile writes none.
[[nodiscard]] std::map<std::string, TableUse> table_uses(const Profile& profile);

}  // namespace taskctl
