#include "sql/schema.hpp"

#include <algorithm>
#include <set>

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

bool are_among(const std::vector<std::string>& some, const std::vector<std::string>& all) {
  return std::ranges::all_of(some, [&all](const std::string& one) { return std::ranges::find(all, one) != all.end(); });
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

bool is_unique(const TableInfo& table, const std::vector<std::string>& columns) {
  const auto is_covered = [&columns](const std::vector<std::string>& unique) {
    return !unique.empty() && are_among(unique, columns);
  };
  return is_covered(table.primary_key) || std::ranges::any_of(table.unique_keys, is_covered);
}

bool is_unique_in_partition(const TableInfo& table, const std::vector<std::string>& columns) {
  return table.is_partitioned &&
         std::ranges::any_of(table.unique_keys,
                             [&columns](const std::vector<std::string>& unique) { return are_among(columns, unique); });
}

const TableInfo* Schema::find(const std::string& name_in_profile) const {
  const auto found = tables.find(name_in_profile);
  return found == tables.end() ? nullptr : &found->second;
}

std::vector<std::string> Schema::with_hidden_rows() const {
  std::set<std::string> names;
  for (const auto& [name, table] : tables) {
    if (table.row_security) {
      names.insert(table.name.display());
    }
  }
  names.insert(veiled.begin(), veiled.end());
  return {names.begin(), names.end()};
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
