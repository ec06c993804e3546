#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "model/value.hpp"

namespace taskctl {

/// Readers of single values that both databases hand over: PostgreSQL as text, SQLite typed.

/// nullopt for NULL; numbers in decimal, blobs as their bytes.
[[nodiscard]] std::optional<std::string> text_of(const Value& value);
/// nullopt for NULL and for what is not a whole number.
[[nodiscard]] std::optional<std::int64_t> integer_of(const Value& value);
/// A 0/1 column; NULL is false.
[[nodiscard]] bool flag_of(const Value& value);

}  // namespace taskctl
