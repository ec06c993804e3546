#pragma once

#include <string>
#include <vector>

#include "profile/profile.hpp"
#include "sql/dialect.hpp"
#include "sql/guard_objects.hpp"
#include "sql/schema.hpp"

namespace taskctl {

/// Something in the database that belongs to the guard. Its name begins with taskctl_guard_.
struct GuardObject {
  GuardKind kind = GuardKind::trigger;
  std::string name;
  std::string mark;                 ///< "taskctl guard MODE HASH": what it was made from; empty: its name is enough
  std::vector<std::string> create;  ///< statements, in order
};

struct GuardRule {
  std::string name;   ///< "finished", "terminal", "missing"
  std::string text;   ///< what is wrong with a row, without full stop
  std::string count;  ///< SELECT that counts the rows that are wrong now; empty for a rule about a change
};

/// What is to be in the database for a profile and a mode.
struct GuardDefinition {
  GuardMode mode = GuardMode::reject;
  std::vector<GuardRule> rules;
  std::vector<GuardObject> objects;   ///< in the order in which they are created
  std::vector<std::string> left_out;  ///< rules that the profile has no columns for, and why
};

/// Throws Error{mismatch} when the task table is a view, its status is no column, or a class looks into other tables.
GuardDefinition render_guard(const Profile& profile, const Schema& schema, const Dialect& dialect, GuardMode mode,
                             const std::string& journal_schema);

}  // namespace taskctl
