#include "store/change_builder.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.hpp"
#include "sql/column_type.hpp"
#include "store/row_values.hpp"

namespace taskctl {

namespace {

Operation operation_of(OperationSpec::Kind kind) {
  switch (kind) {
    case OperationSpec::Kind::insert:
      return Operation::insert;
    case OperationSpec::Kind::remove:
      return Operation::remove;
    case OperationSpec::Kind::update:
      break;
  }
  return Operation::update;
}

std::shared_ptr<const std::vector<std::string>> share(const std::vector<std::string>& names) {
  return std::make_shared<const std::vector<std::string>>(names);
}

/// Values of `columns` in the image; empty when one is absent or NULL.
std::vector<Value> values_of(const Image& image, const std::vector<std::string>& columns) {
  std::vector<Value> values;
  for (const std::string& column : columns) {
    const Value* value = image.find(column);
    if (value == nullptr || is_null(*value)) {
      return {};
    }
    values.push_back(*value);
  }
  return values;
}

std::vector<std::string> differing_columns(const Image& before, const Image& after) {
  std::vector<std::string> columns;
  for (std::size_t i = 0; i < before.values.size(); ++i) {
    if (before.values[i] != after.values[i]) {
      columns.push_back((*before.columns)[i]);
    }
  }
  return columns;
}

}  // namespace

ChangeBuilder::ChangeBuilder(const Profile& profile, const TableInfo& table, Engine engine,
                             const OperationSpec& operation, const EvaluationStatement& statement)
    : m_table{table},
      m_engine{engine},
      m_kind{operation.kind},
      m_task_key_count{statement.task_key_count},
      m_image{statement.image},
      m_values{statement.values},
      m_key{table.row_key()},
      m_image_columns{share(statement.image_columns)},
      m_set_columns{share(statement.set_columns)} {
  const bool is_task_table = operation.table.empty() || operation.table == profile.table;
  // A repair may move a task to another partition, which changes its primary key; its id stays.
  if (is_task_table && (m_key.empty() || (table.is_partitioned && !is_unique(table, profile.key)))) {
    m_key = profile.key;
  }
  if (m_key.empty()) {
    throw Error{ExitCode::mismatch,
                fmt::format("{}: table '{}' has neither a primary key nor a unique key without NULL",
                            operation.where.display(), table.name.display()),
                "A repair, and its undo, must be able to name each row of the tables that it writes."};
  }
}

TaskKey ChangeBuilder::task_of(const Row& row) const {
  TaskKey key;
  for (std::size_t i = 0; i < m_task_key_count; ++i) {
    key.parts.push_back(text_of(row[i]).value_or(""));
  }
  return key;
}

Value ChangeBuilder::set_value(const Row& row, std::size_t index) const {
  const Value& value = row[m_values + index];
  const ColumnInfo* column = m_table.find((*m_set_columns)[index]);
  return m_engine == Engine::sqlite && column != nullptr ? apply_affinity(value, affinity_of(column->type)) : value;
}

RowKey ChangeBuilder::key_in(const Image& image) const {
  std::vector<Value> values = values_of(image, m_key);
  if (values.empty()) {
    return {};
  }
  return {m_key, std::move(values)};
}

Change ChangeBuilder::build(const Row& row) const {
  Change change{.operation = operation_of(m_kind), .table = m_table.name};
  if (change.operation == Operation::insert) {
    change.after = Image{m_set_columns, {}};
    for (std::size_t i = 0; i < m_set_columns->size(); ++i) {
      change.after->values.push_back(set_value(row, i));
    }
    change.written = *m_set_columns;
    change.key = key_in(*change.after);
    return change;
  }
  const auto first = row.begin() + static_cast<std::ptrdiff_t>(m_image);
  change.before = Image{m_image_columns, {first, first + static_cast<std::ptrdiff_t>(m_image_columns->size())}};
  change.key = key_in(*change.before);
  if (change.key.columns.empty()) {
    throw Error{ExitCode::mismatch, fmt::format("a row of table '{}' has NULL in its key", m_table.name.display())};
  }
  if (change.operation == Operation::update) {
    change.after = change.before;
    for (std::size_t i = 0; i < m_set_columns->size(); ++i) {
      change.after->set((*m_set_columns)[i], set_value(row, i));
    }
    change.written = differing_columns(*change.before, *change.after);
  }
  return change;
}

void TaskChanges::add(Change change) {
  if (change.operation == Operation::insert) {
    m_changes.push_back(std::move(change));
    return;
  }
  const auto [row, is_new] = m_rows.emplace(std::pair{change.table, change.key.values}, m_changes.size());
  if (is_new) {
    m_changes.push_back(std::move(change));
    return;
  }
  Change& same = m_changes[row->second];
  if (change.operation == Operation::remove) {
    same = std::move(change);
  } else if (same.operation == Operation::update) {
    for (const std::string& column : change.written) {
      same.after->set(column, *change.after->find(column));
    }
    same.written = differing_columns(*same.before, *same.after);
  }
}

std::vector<Change> TaskChanges::take() {
  std::erase_if(m_changes, [](const Change& c) { return c.operation == Operation::update && c.written.empty(); });
  m_rows.clear();
  return std::move(m_changes);
}

}  // namespace taskctl
