#include "sql/array_literal.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace taskctl {

namespace {

std::string quoted(std::string_view text) {
  std::string result{'"'};
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      result += '\\';
    }
    result += c;
  }
  return result + '"';
}

struct ToElement {
  std::string operator()(const Null&) const { return "NULL"; }
  std::string operator()(std::int64_t value) const { return std::to_string(value); }
  std::string operator()(double value) const { return quoted(fmt::format("{}", value)); }
  std::string operator()(const std::string& value) const { return quoted(value); }
  std::string operator()(const Blob& value) const { return quoted("\\x" + to_hex(value.bytes)); }
};

}  // namespace

std::string array_literal(std::span<const Value> values) {
  std::string result{'{'};
  for (const Value& value : values) {
    result += result.size() > 1 ? "," : "";
    result += std::visit(ToElement{}, value);
  }
  return result + '}';
}

}  // namespace taskctl
