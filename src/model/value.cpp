#include "model/value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <type_traits>

#include "base/error.hpp"
#include "base/text.hpp"
#include "model/string_array.hpp"

namespace taskctl {

namespace {

/// Not below the number of values when there is no such column.
std::size_t index_of(const Image& image, std::string_view column) {
  if (!image.columns) {
    return image.values.size();
  }
  const auto found = std::find(image.columns->begin(), image.columns->end(), column);
  return static_cast<std::size_t>(found - image.columns->begin());
}

}  // namespace

bool is_null(const Value& value) {
  return std::holds_alternative<Null>(value);
}

std::string to_display(const Value& value) {
  return std::visit(
      [](const auto& held) -> std::string {
        using Held = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<Held, Null>) {
          return "NULL";
        } else if constexpr (std::is_same_v<Held, Blob>) {
          return "x'" + to_hex(held.bytes) + "'";
        } else if constexpr (std::is_same_v<Held, std::string>) {
          return held;
        } else {
          return fmt::format("{}", held);
        }
      },
      value);
}

const Value* Image::find(std::string_view column) const {
  const std::size_t index = index_of(*this, column);
  return index < values.size() ? &values[index] : nullptr;
}

void Image::set(std::string_view column, Value value) {
  const std::size_t index = index_of(*this, column);
  if (index >= values.size()) {
    throw Error{ExitCode::mismatch, fmt::format("the row has no column '{}'", column)};
  }
  values[index] = std::move(value);
}

std::string RowKey::display() const {
  std::string out;
  for (std::size_t i = 0; i < columns.size() && i < values.size(); ++i) {
    out += fmt::format("{}{}={}", i == 0 ? "" : ", ", columns[i], to_display(values[i]));
  }
  return out;
}

std::string TaskKey::text() const {
  return parts.size() == 1 ? parts.front() : format_string_array(parts);
}

TaskKey TaskKey::from_text(std::string_view text, std::size_t part_count) {
  if (part_count == 1) {
    return TaskKey{{std::string{text}}};
  }
  std::optional<std::vector<std::string>> parts = parse_string_array(text);
  if (!parts || parts->size() != part_count) {
    throw Error{
        ExitCode::usage, fmt::format("'{}' is not the id of a task here", truncate_to_width(printable(text), 80)),
        fmt::format(
            "Ids of this target have {} parts: write them as a JSON array of {} strings, exactly as they are printed.",
            part_count, part_count)};
  }
  return TaskKey{std::move(*parts)};
}

}  // namespace taskctl
