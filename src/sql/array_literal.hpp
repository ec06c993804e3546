#pragma once

#include <span>
#include <string>

#include "model/value.hpp"

namespace taskctl {

/// The values as one PostgreSQL text[] literal ('{"a",NULL}'): many rows in one parameter. Numbers as their text, blobs
/// as bytea hex, as single parameters are sent.
[[nodiscard]] std::string array_literal(std::span<const Value> values);

}  // namespace taskctl
