#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "model/change.hpp"
#include "profile/profile.hpp"
#include "sql/render.hpp"
#include "store/connection.hpp"

namespace taskctl {

/// Turns rows of an evaluation statement into changes of one operation.
class ChangeBuilder {
 public:
  /// Throws Error{mismatch} when nothing names single rows of the operation's table.
  ChangeBuilder(const Profile& profile, const TableInfo& table, Engine engine, const OperationSpec& operation,
                const EvaluationStatement& statement);

  [[nodiscard]] TaskKey task_of(const Row& row) const;
  /// `written` is empty for an update that would change nothing.
  [[nodiscard]] Change build(const Row& row) const;

 private:
  [[nodiscard]] Value set_value(const Row& row, std::size_t index) const;
  [[nodiscard]] RowKey key_in(const Image& image) const;

  const TableInfo& m_table;
  Engine m_engine;
  OperationSpec::Kind m_kind;
  std::size_t m_task_key_count, m_image, m_values;
  std::vector<std::string> m_key;
  std::shared_ptr<const std::vector<std::string>> m_image_columns, m_set_columns;
};

/// The changes of one task. Two changes of one row become one, so that the row's before-image is what the database
/// holds; a change of a row that is deleted already is dropped.
class TaskChanges {
 public:
  void add(Change change);
  /// In the order in which their rows came; updates that change nothing are left out.
  [[nodiscard]] std::vector<Change> take();

 private:
  std::vector<Change> m_changes;
  std::map<std::pair<TableName, std::vector<Value>>, std::size_t> m_rows;  ///< where the change of a row stands
};

}  // namespace taskctl
