#pragma once

#include <string>

#include "model/value.hpp"

namespace taskctl::postgres {

/// A column of a PostgreSQL row; empty for NULL.
inline std::string text_of(const Value& value) {
  const auto* text = std::get_if<std::string>(&value);
  return text == nullptr ? std::string{} : *text;
}

}  // namespace taskctl::postgres
