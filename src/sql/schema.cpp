#include "sql/schema.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "base/digest.hpp"

namespace taskctl {

namespace {

void append(ByteWriter& writer, const std::vector<std::string>& names) {
  writer.number(static_cast<std::int64_t>(names.size()));
  for (const std::string& name : names) {
    writer.text(name);
  }
}

}  // namespace

const ColumnInfo* TableInfo::find(std::string_view column) const {
  const auto found = std::ranges::find(columns, column, &ColumnInfo::name);
  return found == columns.end() ? nullptr : &*found;
}

std::vector<std::string> TableInfo::row_key() const {
  if (!primary_key.empty()) {
    return primary_key;
  }
  const auto cannot_be_null = [this](const std::string& part) {
    const ColumnInfo* column = find(part);
    return column != nullptr && column->not_null;
  };
  const auto usable = std::ranges::find_if(
      unique_keys, [&](const std::vector<std::string>& key) { return std::ranges::all_of(key, cannot_be_null); });
  return usable == unique_keys.end() ? std::vector<std::string>{} : *usable;
}

const TableInfo* Schema::find(const std::string& name_in_profile) const {
  const auto found = tables.find(name_in_profile);
  return found == tables.end() ? nullptr : &found->second;
}

std::string Schema::fingerprint() const {
  ByteWriter writer;
  for (const auto& [name, table] : tables) {
    writer.text(name);
    writer.text(table.name.display());
    for (const ColumnInfo& column : table.columns) {
      writer.text(column.name);
      writer.text(column.type);
      writer.number((column.not_null ? 1 : 0) + (column.generated ? 2 : 0) + (column.identity_always ? 4 : 0));
    }
    append(writer, table.primary_key);
    append(writer, table.triggers);
  }
  return sha256(writer.bytes());
}

}  // namespace taskctl
