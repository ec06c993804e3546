#pragma once

#include <string>

#include "store/row_values.hpp"

namespace taskctl::postgres {

/// A column of a row where NULL and an empty text mean the same.
inline std::string text_or_empty(const Value& value) {
  return text_of(value).value_or(std::string{});
}

}  // namespace taskctl::postgres
