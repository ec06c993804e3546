#include "profile/source.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace taskctl {

std::string SourcePosition::display() const {
  std::string result = file;
  if (line > 0) {
    result += fmt::format(":{}:{}", line, column);
  }
  if (!key.empty()) {
    result += fmt::format(": key '{}'", printable(key));
  }
  return result;
}

}  // namespace taskctl
