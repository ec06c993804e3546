#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "sql/array_literal.hpp"
#include "sql/column_type.hpp"
#include "sql/render.hpp"
#include "sql/statement_writer.hpp"

namespace taskctl {

namespace {

/// Parameters of a statement about one table, typed by its columns.
class RowWriter {
 public:
  RowWriter(const TableInfo& table, const Dialect& dialect) : m_table{table}, m_dialect{dialect} {}

  std::string bind(const std::string& column, const Value& value) {
    m_parameters.push_back(value);
    return m_dialect.parameter(m_parameters.size(), lossless_cast(find(column).type));
  }

  /// "(a, b)" of several, plain "a" of one.
  static std::string tuple(const std::vector<std::string>& parts) {
    return parts.size() == 1 ? parts.front() : "(" + join(parts, ", ") + ")";
  }

  std::string tuple(const RowKey& key) {
    std::vector<std::string> parameters;
    for (std::size_t i = 0; i < key.columns.size(); ++i) {
      parameters.push_back(bind(key.columns[i], key.values[i]));
    }
    return tuple(parameters);
  }

  std::string is_row(const RowKey& key) {
    std::vector<std::string> conditions;
    for (std::size_t i = 0; i < key.columns.size(); ++i) {
      conditions.push_back(
          fmt::format("{} = {}", m_dialect.identifier(key.columns[i]), bind(key.columns[i], key.values[i])));
    }
    return conditions.empty() ? any_of({}) : join(conditions, " AND ");
  }

  [[nodiscard]] const ColumnInfo& find(const std::string& column) const {
    const ColumnInfo* found = m_table.find(column);
    if (found == nullptr) {
      throw Error{ExitCode::mismatch, fmt::format("table '{}' has no column '{}'", m_table.name.display(), column)};
    }
    return *found;
  }

  RenderedStatement finish(std::string sql) { return {std::move(sql), std::move(m_parameters)}; }

 private:
  const TableInfo& m_table;
  const Dialect& m_dialect;
  std::vector<Value> m_parameters;
};

RenderedStatement render_update(const TableInfo& table, const Dialect& dialect, const Change& change) {
  if (change.written.empty()) {
    throw Error{ExitCode::bug, fmt::format("nothing to write to '{}'", table.name.display())};
  }
  RowWriter writer{table, dialect};
  std::vector<std::string> assignments;
  for (const std::string& column : change.written) {
    const Value* value = change.after ? change.after->find(column) : nullptr;
    if (value == nullptr) {
      throw Error{ExitCode::bug, fmt::format("no new value for column '{}' of '{}'", column, table.name.display())};
    }
    assignments.push_back(fmt::format("{} = {}", dialect.identifier(column), writer.bind(column, *value)));
  }
  const std::string where = writer.is_row(change.key);
  return writer.finish(
      fmt::format("UPDATE {} SET {} WHERE {}", dialect.table(table.name), join(assignments, ", "), where));
}

RenderedStatement render_insert(const TableInfo& table, const Dialect& dialect, const Change& change) {
  RowWriter writer{table, dialect};
  std::vector<std::string> columns;
  std::vector<std::string> parameters;
  bool identity = false;
  for (std::size_t i = 0; i < change.after->values.size(); ++i) {
    const std::string& name = change.after->columns->at(i);
    const ColumnInfo& column = writer.find(name);
    if (!column.generated) {
      columns.push_back(dialect.identifier(name));
      parameters.push_back(writer.bind(name, change.after->values[i]));
      identity = identity || column.identity_always;
    }
  }
  std::vector<std::string> returned;
  for (const std::string& name : change.key.columns.empty() ? table.row_key() : change.key.columns) {
    returned.push_back(dialect.as_image(dialect.identifier(name)));
  }
  const std::string values = columns.empty()
                                 ? "DEFAULT VALUES"
                                 : fmt::format("({}){} VALUES ({})", join(columns, ", "),
                                               identity ? " OVERRIDING SYSTEM VALUE" : "", join(parameters, ", "));
  return writer.finish(fmt::format("INSERT INTO {} {}{}", dialect.table(table.name), values,
                                   returned.empty() ? "" : " RETURNING " + join(returned, ", ")));
}

/// Values of many changes: for each column one array, which is a column of `v` in the statement.
class ArrayWriter {
 public:
  ArrayWriter(const TableInfo& table, const Dialect& dialect, std::span<const Change* const> changes)
      : m_types{table, dialect}, m_changes{changes} {}

  /// The value of the column in `v`, as its type.
  template <typename ValueOf>
  std::string add(const std::string& column, const ValueOf& value_of) {
    std::vector<Value> values;
    values.reserve(m_changes.size());
    for (const Change* change : m_changes) {
      values.push_back(value_of(*change));
    }
    m_parameters.emplace_back(array_literal(values));
    m_arrays.push_back(fmt::format("${}::text::text[]", m_parameters.size()));
    m_names.push_back(fmt::format("c{}", m_parameters.size()));
    return fmt::format("v.{}::{}", m_names.back(), lossless_cast(m_types.find(column).type));
  }

  RenderedStatement finish(const std::string& update, const std::string& where) {
    return {
        fmt::format("{} FROM unnest({}) AS v({}) WHERE {}", update, join(m_arrays, ", "), join(m_names, ", "), where),
        std::move(m_parameters)};
  }

 private:
  RowWriter m_types;
  std::span<const Change* const> m_changes;
  std::vector<Value> m_parameters;
  std::vector<std::string> m_arrays, m_names;
};

/// Can one index or a plain scan answer? Only when classes are vocabularies and the status is a column: then rows are
/// grouped by bare columns first, and classes are given to groups.
bool groups_by_columns(const Profile& profile) {
  return profile.status.kind == Attribute::Kind::column &&
         std::ranges::none_of(profile.classes, [](const ClassRule& rule) { return rule.when.has_value(); });
}

}  // namespace

RenderedStatement render_version(const Fragment& question, const Dialect& dialect) {
  return {fmt::format("SELECT {}", dialect.as_text("(" + question.sql() + ")")), {}};
}

RenderedStatement render_any_row(const std::string& table, const Schema& schema, const Dialect& dialect) {
  const TableInfo* info = schema.find(table);
  if (info == nullptr) {
    throw Error{ExitCode::mismatch, fmt::format("there is no table '{}'", table),
                "Run 'taskctl profile check' to see how the profile fits the database."};
  }
  return {fmt::format("SELECT 1 FROM {} LIMIT 1", dialect.table(info->name)), {}};
}

RenderedStatement render_workers(const LivenessSource& source, const Schema& schema, const Dialect& dialect,
                                 const std::optional<std::string>& name) {
  const TableInfo* table = schema.find(source.table);
  const auto column = [&](const std::string& wanted) -> const ColumnInfo& {
    const ColumnInfo* found = table != nullptr ? table->find(wanted) : nullptr;
    if (found == nullptr) {
      throw Error{ExitCode::mismatch, fmt::format("table '{}' has no column '{}'", source.table, wanted),
                  "Run 'taskctl profile check' to see how the profile fits the database."};
    }
    return *found;
  };
  const ColumnInfo& heartbeat = column(source.heartbeat);
  const std::string key = dialect.as_text("w." + dialect.identifier(column(source.key).name));
  RenderedStatement statement{fmt::format("SELECT {}, {} FROM {} w", key,
                                          dialect.as_time("w." + dialect.identifier(heartbeat.name), heartbeat.type),
                                          dialect.table(table->name)),
                              {}};
  if (name) {
    statement.sql += dialect.can_hold(*name) ? fmt::format(" WHERE {} = {}", key, dialect.parameter(1, "text"))
                                             : " WHERE " + any_of({});
    statement.parameters.assign(dialect.can_hold(*name) ? 1 : 0, *name);
  }
  return statement;
}

RenderedStatement render_read_rows(const TableInfo& table, const Dialect& dialect, std::span<const RowKey> keys,
                                   bool lock) {
  RowWriter writer{table, dialect};
  std::vector<std::string> columns;
  for (const ColumnInfo& column : table.columns) {
    columns.push_back(dialect.as_image("t." + dialect.identifier(column.name)));
  }
  std::vector<std::string> rows;
  for (const RowKey& key : keys) {
    rows.push_back(writer.tuple(key));
  }
  std::string where = any_of({});
  if (!keys.empty()) {
    std::vector<std::string> names;
    for (const std::string& name : keys.front().columns) {
      names.push_back("t." + dialect.identifier(name));
    }
    where = fmt::format("{} IN ({}{})", RowWriter::tuple(names), names.size() > 1 ? "VALUES " : "", join(rows, ", "));
  }
  return writer.finish(fmt::format("SELECT {} FROM {} t WHERE {}{}", join(columns, ", "), dialect.table(table.name),
                                   where, lock ? dialect.lock_clause("t") : ""));
}

RenderedStatement render_write(const TableInfo& table, const Dialect& dialect, const Change& change) {
  switch (change.operation) {
    case Operation::update:
      return render_update(table, dialect, change);
    case Operation::insert:
      return render_insert(table, dialect, change);
    case Operation::remove:
      break;
  }
  RowWriter writer{table, dialect};
  const std::string where = writer.is_row(change.key);
  return writer.finish(fmt::format("DELETE FROM {} WHERE {}", dialect.table(table.name), where));
}

RenderedStatement render_update_many(const TableInfo& table, const Dialect& dialect,
                                     std::span<const Change* const> changes) {
  ArrayWriter writer{table, dialect, changes};
  const Change& first = *changes.front();
  std::vector<std::string> assignments;
  for (const std::string& column : first.written) {
    const std::string value = writer.add(column, [&](const Change& change) { return *change.after->find(column); });
    assignments.push_back(fmt::format("{} = {}", dialect.identifier(column), value));
  }
  std::vector<std::string> conditions;
  for (std::size_t i = 0; i < first.key.columns.size(); ++i) {
    const std::string& column = first.key.columns[i];
    const std::string value = writer.add(column, [i](const Change& change) { return change.key.values[i]; });
    conditions.push_back(fmt::format("t.{} = {}", dialect.identifier(column), value));
  }
  return writer.finish(fmt::format("UPDATE {} t SET {}", dialect.table(table.name), join(assignments, ", ")),
                       join(conditions, " AND "));
}

RenderedStatement render_status_counts(const Profile& profile, const Schema& schema, const Dialect& dialect) {
  const StatementWriter writer{profile, schema, dialect};
  const std::string table = dialect.table(writer.task_table().name);
  const std::string groups =
      fmt::format("SELECT {} AS v__status, {} AS v__class", writer.text(profile.status), writer.class_code_case());
  if (!groups_by_columns(profile)) {
    return {fmt::format("SELECT v__status, v__class, count(*) FROM ({} FROM {} t) g GROUP BY 1, 2 ORDER BY 1, 2",
                        groups, table),
            {}};
  }
  std::set<std::string> columns{writer.column(profile.table, profile.status.column).name};
  for (const ClassRule& rule : profile.classes) {
    columns.insert(writer.column(profile.table, rule.column).name);
  }
  std::vector<std::string> names;
  for (const std::string& name : columns) {
    names.push_back(dialect.identifier(name));
  }
  const std::string list = join(names, ", ");
  return {
      fmt::format("SELECT v__status, v__class, sum(v__count) FROM ({}, v__count FROM (SELECT {}, count(*) AS v__count "
                  "FROM {} GROUP BY {}) t) g GROUP BY 1, 2 ORDER BY 1, 2",
                  groups, list, table, list),
      {}};
}

}  // namespace taskctl
