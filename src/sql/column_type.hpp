#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/value.hpp"
#include "profile/profile.hpp"
#include "sql/schema.hpp"

namespace taskctl {

/// PostgreSQL types as far as comparing and binding differ.
enum class TypeFamily { text, integer, uuid, other };
[[nodiscard]] TypeFamily postgres_family(std::string_view type);

/// A PostgreSQL column of a type that is never written as such a text makes the server refuse `column = 'text'`.
/// Enums are left out: their labels are known.
[[nodiscard]] bool can_be_compared(const ColumnInfo& column, std::string_view text);

/// The type to cast to without losing anything: an explicit cast to varchar(5) or char(5) would cut the text silently,
/// so these go without their length and the assignment to the column complains.
[[nodiscard]] std::string lossless_cast(std::string_view type);

/// How SQLite converts a value that is stored in a column (https://www.sqlite.org/datatype3.html#type_affinity).
enum class Affinity { text, integer, numeric, real, none };
[[nodiscard]] Affinity affinity_of(std::string_view declared_type);
[[nodiscard]] Value apply_affinity(const Value& value, Affinity affinity);

/// What to bind so that `column = parameter` finds the row whose key prints as `text`: no value when the column's type
/// cannot hold such a text, two when a SQLite column without affinity may hold it as text or as integer.
[[nodiscard]] std::vector<Value> key_values(Engine engine, const ColumnInfo& column, const std::string& text);

}  // namespace taskctl
