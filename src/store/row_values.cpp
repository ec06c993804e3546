#include "store/row_values.hpp"

#include <charconv>

namespace taskctl {

std::optional<std::string> text_of(const Value& value) {
  if (is_null(value)) {
    return std::nullopt;
  }
  if (const auto* text = std::get_if<std::string>(&value)) {
    return *text;
  }
  if (const auto* blob = std::get_if<Blob>(&value)) {
    return blob->bytes;
  }
  return to_display(value);
}

std::optional<std::int64_t> integer_of(const Value& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    return *integer;
  }
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) {
    return std::nullopt;
  }
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  return error == std::errc{} && end == text->data() + text->size() ? std::optional{number} : std::nullopt;
}

bool flag_of(const Value& value) {
  return integer_of(value).value_or(0) != 0;
}

}  // namespace taskctl
