#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "profile/profile.hpp"
#include "sql/dialect.hpp"
#include "sql/schema.hpp"

namespace taskctl {

/// What a guard does with a row that contradicts itself: refuse the write, or let it pass and record who wrote it.
enum class GuardMode { reject, log };
[[nodiscard]] std::string_view to_string(GuardMode mode);  ///< "reject", "log"
[[nodiscard]] std::optional<GuardMode> parse_guard_mode(std::string_view text);

enum class GuardKind { table, function, row_class, check, trigger };
[[nodiscard]] std::string_view to_string(GuardKind kind);  ///< "table", "function", "class", "check", "trigger"
[[nodiscard]] std::optional<GuardKind> parse_guard_kind(std::string_view text);

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

/// The statement that removes one object of the guard on `table`.
std::string render_guard_drop(const Dialect& dialect, const TableName& table, const std::string& journal_schema,
                              GuardKind kind, const std::string& name);

/// The statement that validates the guard's constraint; PostgreSQL only.
std::string render_guard_validate(const Dialect& dialect, const TableName& table, const std::string& name);

/// "taskctl guard MODE HASH" within a comment or the text of a trigger; empty when there is none.
[[nodiscard]] std::string find_guard_mark(std::string_view text);

}  // namespace taskctl
