#include "engine/row_identity.hpp"

#include "base/error.hpp"
#include "engine/change_codec.hpp"

namespace taskctl {

std::string row_identity(const TableName& table, const RowKey& key) {
  ByteWriter out;
  out.text(table.schema);
  out.text(table.name);
  encode(out, key);
  return out.bytes();
}

RowKey key_in(const TableName& table, const Image& image, const RowKey& key) {
  RowKey result;
  result.columns = key.columns;
  for (const std::string& column : key.columns) {
    const Value* value = image.find(column);
    if (value == nullptr) {
      throw Error{ExitCode::mismatch, "a row of '" + table.display() + "' has no column '" + column + "' any more"};
    }
    result.values.push_back(*value);
  }
  return result;
}

const TableInfo* find_table(const Schema& schema, const TableName& name) {
  for (const auto& entry : schema.tables) {
    if (entry.second.name == name) {
      return &entry.second;
    }
  }
  return nullptr;
}

void RowReads::want(const TableName& table, const RowKey& key) {
  m_keys[table].emplace(row_identity(table, key), key);
}

void RowReads::read(TaskStore& store, bool lock,
                    const std::function<void(const std::string&, std::optional<Image>&&)>& found) const {
  for (const auto& [table, by_identity] : m_keys) {
    std::vector<RowKey> keys;
    keys.reserve(by_identity.size());
    for (const auto& entry : by_identity) {
      keys.push_back(entry.second);
    }
    std::vector<std::optional<Image>> rows = store.read_rows(table, keys, lock);
    std::size_t next = 0;
    for (const auto& entry : by_identity) {
      found(entry.first, std::move(rows.at(next++)));
    }
  }
}

}  // namespace taskctl
