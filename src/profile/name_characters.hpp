#pragma once

#include <cctype>

namespace taskctl {

/// May a name of SQL begin with, or go on with, this byte? Bytes of other scripts count as letters, as in both
/// databases.
[[nodiscard]] inline bool starts_name(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

[[nodiscard]] inline bool continues_name(char c) {
  return starts_name(c) || std::isdigit(static_cast<unsigned char>(c)) != 0;
}

}  // namespace taskctl
