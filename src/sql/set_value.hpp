#pragma once

#include <string>

#include "profile/profile.hpp"
#include "sql/dialect.hpp"
#include "sql/schema.hpp"

namespace taskctl {

/// How a moment is written to a column: `:now` in the encoding of the column that is set. Throws Error{usage} when the
/// profile names no encoding and the column's type does not say it either.
[[nodiscard]] TimeStyle time_style(const Profile& profile, const Dialect& dialect, const std::string& table,
                                   const ColumnInfo& target, const Fragment& fragment);

/// What `:now_text` stands for: ISO 8601 in UTC with milliseconds, for times inside of a JSON value.
[[nodiscard]] std::string now_text(Instant now);

/// A value as the column will hold it. With `cut` it is cut to fit (a reason is for people); anything else that does
/// not fit is refused by the database when it is written. Private to the renderer.
[[nodiscard]] std::string cast_to_column(const Dialect& dialect, const std::string& value, const ColumnInfo& target,
                                         bool cut);

/// Throws Error{mismatch} for a column that the database works out itself.
void require_settable(const ColumnInfo& target, const Fragment& fragment);

/// The fragment is `:reason` and nothing else.
[[nodiscard]] bool is_only_reason(const Fragment& fragment);

}  // namespace taskctl
