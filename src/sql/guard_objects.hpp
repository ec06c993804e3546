#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/value.hpp"
#include "sql/dialect.hpp"

namespace taskctl {

/// What a guard does with a row that contradicts itself: refuse the write, or let it pass and record who wrote it.
enum class GuardMode { reject, log };
[[nodiscard]] std::string_view to_string(GuardMode mode);  ///< "reject", "log"
[[nodiscard]] std::optional<GuardMode> parse_guard_mode(std::string_view text);

enum class GuardKind { table, function, check, trigger };
[[nodiscard]] std::string_view to_string(GuardKind kind);  ///< "table", "function", "check", "trigger"
[[nodiscard]] std::optional<GuardKind> parse_guard_kind(std::string_view text);

/// What stands before mode and hash in the comment or the text of an object.
inline constexpr std::string_view k_guard_mark = "taskctl guard ";
inline constexpr std::size_t k_guard_hash_length = 16;

/// "TRIGGER name ON table" and the like, for DROP and COMMENT ON. PostgreSQL has triggers of several guarded tables
/// under the same name; SQLite's trigger names are the database's.
[[nodiscard]] std::string guard_object_text(const Dialect& dialect, const TableName& table,
                                            const std::string& journal_schema, GuardKind kind, const std::string& name);

/// The statement that removes one object of the guard on `table`.
std::string render_guard_drop(const Dialect& dialect, const TableName& table, const std::string& journal_schema,
                              GuardKind kind, const std::string& name);

/// The statement that validates the guard's constraint; PostgreSQL only.
std::string render_guard_validate(const Dialect& dialect, const TableName& table, const std::string& name);

/// "taskctl guard MODE HASH" within a comment or the text of a trigger; empty when there is none.
[[nodiscard]] std::string find_guard_mark(std::string_view text);

}  // namespace taskctl
