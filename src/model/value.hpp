#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace taskctl {

struct Null {
  friend auto operator<=>(const Null&, const Null&) = default;
};

struct Blob {
  std::string bytes;
  friend auto operator<=>(const Blob&, const Blob&) = default;
};

/// One column of one row. SQLite: as typed (text may be invalid UTF-8). PostgreSQL: null or text, as
/// `column::text` gives it under the session settings that store/postgres pins.
/// == is null-safe and type-strict: 1 and 1.0 and "1" are three values.
using Value = std::variant<Null, std::int64_t, double, std::string, Blob>;

[[nodiscard]] bool is_null(const Value& value);

/// For people: text as it is, numbers in shortest form, blobs as x'6869', NULL as "NULL".
[[nodiscard]] std::string to_display(const Value& value);

/// A table as the database resolved it. `schema` is empty in SQLite.
struct TableName {
  std::string schema;
  std::string name;
  [[nodiscard]] std::string display() const { return schema.empty() ? name : schema + "." + name; }
  friend auto operator<=>(const TableName&, const TableName&) = default;
};

/// A row's columns. The name list is shared by all images of one table.
struct Image {
  std::shared_ptr<const std::vector<std::string>> columns;
  std::vector<Value> values;

  /// nullptr when the table has no such column.
  [[nodiscard]] const Value* find(std::string_view column) const;
  void set(std::string_view column, Value value);
  friend bool operator==(const Image& a, const Image& b) {
    return a.values == b.values && (a.columns == b.columns || (a.columns && b.columns && *a.columns == *b.columns));
  }
};

/// Which row of which table. Column names and values have the same length.
struct RowKey {
  std::vector<std::string> columns;
  std::vector<Value> values;
  [[nodiscard]] std::string display() const;  ///< "id=576", "a=1, b=2"
  friend bool operator==(const RowKey&, const RowKey&) = default;
};

/// A task's key: one or more opaque texts. Typed by users exactly as text() prints it.
struct TaskKey {
  std::vector<std::string> parts;

  /// One part: itself. Several: a JSON array of strings, `["a","b"]`.
  [[nodiscard]] std::string text() const;
  /// The inverse for a key of `part_count` columns; throws Error{usage} when the text is not such a key.
  static TaskKey from_text(std::string_view text, std::size_t part_count);
  friend auto operator<=>(const TaskKey&, const TaskKey&) = default;
};

}  // namespace taskctl
