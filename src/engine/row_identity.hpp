#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "model/change.hpp"
#include "store/task_store.hpp"

namespace taskctl {

/// Names one row of one table within this process: equal texts, same row.
[[nodiscard]] std::string row_identity(const TableName& table, const RowKey& key);

/// The key of the row in `image`, by the columns of `key`. Throws Error{mismatch} when the image lacks one of them.
[[nodiscard]] RowKey key_in(const TableName& table, const Image& image, const RowKey& key);

/// nullptr when no table of the profile has this name.
[[nodiscard]] const TableInfo* find_table(const Schema& schema, const TableName& name);

/// Reads rows of several tables, one statement per table.
class RowReads {
 public:
  void want(const TableName& table, const RowKey& key);
  /// Calls `found` with the identity and the row (nullopt: missing, or with `lock` held by somebody else) of each.
  void read(TaskStore& store, bool lock,
            const std::function<void(const std::string& identity, std::optional<Image>&& row)>& found) const;
  [[nodiscard]] bool empty() const { return m_keys.empty(); }

 private:
  std::map<TableName, std::map<std::string, RowKey>> m_keys;  ///< by table, then by identity: one read per row
};

}  // namespace taskctl
