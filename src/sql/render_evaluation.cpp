#include <algorithm>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "sql/column_type.hpp"
#include "sql/evidence_order.hpp"
#include "sql/render.hpp"
#include "sql/set_value.hpp"
#include "sql/statement_writer.hpp"

namespace taskctl {

namespace {

constexpr std::string_view k_row_alias = "r";
constexpr std::string_view k_other_alias = "f";
constexpr std::string_view k_first_task_alias = "ft";
constexpr std::string_view k_task_prefix = "task__";
constexpr std::string_view k_worker_column = "v__worker";

bool is_own_row(const OperationSpec& operation) {
  return operation.table.empty() && operation.kind != OperationSpec::Kind::insert;
}

/// Beside another table the task's columns are renamed, so that a bare column name in a fragment is the other table's.
TaskScope scope_of(const OperationSpec& operation, const Profile& profile) {
  if (is_own_row(operation)) {
    return {std::string{k_row_alias}, "", ""};
  }
  TaskScope scope{std::string{k_task_alias}, std::string{k_task_prefix}, ""};
  if (profile.worker.kind == Attribute::Kind::sql) {
    scope.worker = fmt::format("{}.{}", k_task_alias, k_worker_column);
  }
  return scope;
}

class EvaluationRenderer {
 public:
  EvaluationRenderer(const Profile& profile, const Schema& schema, const Dialect& dialect,
                     const OperationSpec& operation, Instant now)
      : m_profile{profile},
        m_schema{schema},
        m_dialect{dialect},
        m_operation{operation},
        m_now{now},
        m_table_name{operation.table.empty() ? profile.table : operation.table},
        m_writer{profile, schema, dialect, scope_of(operation, profile)} {
    find_finished();
  }

  EvaluationStatement render(std::span<const EvaluationInput> tasks) {
    const std::string values = task_values(tasks);
    EvaluationStatement result;
    result.task_key_count = m_profile.key.size();
    std::vector<std::string> columns = key_columns();
    result.image = columns.size();
    if (m_operation.kind != OperationSpec::Kind::insert) {
      for (const ColumnInfo& column : m_writer.table(m_table_name).columns) {
        result.image_columns.push_back(column.name);
        columns.push_back(m_dialect.as_image(m_writer.qualified(k_row_alias, column.name)));
      }
    }
    result.values = columns.size();
    add_values(result, columns);
    result.statement.sql = fmt::format("WITH v({}) AS (VALUES {}) SELECT {} FROM {} WHERE {}", value_names(), values,
                                       join(columns, ", "), from(), where());
    result.statement.parameters = m_writer.take_parameters();
    return result;
  }

 private:
  /// A column that is set from `:finished`.
  struct FinishedColumn {
    std::string name;
    std::string type;
    TimeStyle style;
  };

  [[nodiscard]] std::string value_names() const {
    std::vector<std::string> names;
    for (std::size_t i = 1; i <= m_profile.key.size(); ++i) {
      names.push_back(fmt::format("v__k{}", i));
    }
    names.emplace_back("v__reason");
    for (std::size_t i = 1; i <= m_finished.size(); ++i) {
      names.push_back(fmt::format("v__f{}", i));
    }
    return join(names, ", ");
  }

  std::string task_values(std::span<const EvaluationInput> tasks) {
    std::vector<std::string> rows;
    for (const EvaluationInput& task : tasks) {
      for (std::vector<Value>& key : m_writer.key_rows({&task.key, 1})) {
        rows.push_back(task_value(std::move(key), task));
      }
    }
    // A NULL key equals nothing: the statement stays valid and finds no row.
    return rows.empty() ? task_value(std::vector<Value>(m_profile.key.size()), {}) : join(rows, ", ");
  }

  std::string task_value(std::vector<Value> key, const EvaluationInput& task) {
    std::vector<std::string> parameters;
    for (std::size_t i = 0; i < key.size(); ++i) {
      parameters.push_back(m_writer.bind(std::move(key[i]), m_writer.key_parameter_type(task_key(i))));
    }
    parameters.push_back(m_writer.bind(task.reason, "text"));
    for (const FinishedColumn& column : m_finished) {
      parameters.push_back(m_writer.bind(encode_time(task.finished.value_or(m_now), column.style), column.type));
    }
    return "(" + join(parameters, ", ") + ")";
  }

  [[nodiscard]] const ColumnInfo& task_key(std::size_t i) const {
    return m_writer.column(m_profile.table, m_profile.key[i]);
  }

  [[nodiscard]] std::vector<std::string> key_columns() const {
    std::vector<std::string> columns;
    for (const std::string& name : m_profile.key) {
      columns.push_back(m_dialect.as_text(m_writer.task_column(name)));
    }
    return columns;
  }

  /// CROSS JOIN keeps SQLite from starting with the big table; PostgreSQL orders the tables itself.
  [[nodiscard]] std::string from() const {
    const std::string row = fmt::format("{} {}", m_dialect.table(m_writer.table(m_table_name).name), k_row_alias);
    if (is_own_row(m_operation)) {
      return "v CROSS JOIN " + row;
    }
    const StatementWriter plain{m_profile, m_schema, m_dialect};
    std::vector<std::string> columns;
    for (const ColumnInfo& column : plain.task_table().columns) {
      columns.push_back(fmt::format("{} AS {}", plain.task_column(column.name),
                                    m_dialect.identifier(std::string{k_task_prefix} + column.name)));
    }
    if (m_profile.worker.kind == Attribute::Kind::sql) {
      columns.push_back(fmt::format("{} AS {}", plain.raw(m_profile.worker), k_worker_column));
    }
    std::string tasks = fmt::format("v CROSS JOIN (SELECT {} FROM {} t) {}", join(columns, ", "),
                                    m_dialect.table(plain.task_table().name), k_task_alias);
    return m_operation.kind == OperationSpec::Kind::insert ? tasks : tasks + " CROSS JOIN " + row;
  }

  std::string where() {
    std::vector<std::string> conditions{is_wanted_task(m_writer)};
    if (!is_own_row(m_operation) && m_operation.kind != OperationSpec::Kind::insert && !m_operation.match.empty()) {
      conditions.push_back(m_writer.match(m_table_name, k_row_alias, m_operation.match));
    }
    if (m_operation.when) {
      conditions.push_back(m_writer.fragment(*m_operation.when, [this](const std::string& name) {
        if (name == "first_result") {
          return is_first_result();
        }
        return name == "reason" ? std::string{"v.v__reason"} : std::string{};
      }));
    }
    return join(conditions, " AND ");
  }

  void add_values(EvaluationStatement& result, std::vector<std::string>& columns) {
    for (const auto& [name, fragment] : m_operation.set) {
      const ColumnInfo& target = m_writer.column(m_table_name, name);
      require_settable(target, fragment);
      result.set_columns.push_back(name);
      columns.push_back(m_dialect.as_image(cast(set_value(target, fragment), target, is_only_reason(fragment))));
    }
    if (m_operation.kind == OperationSpec::Kind::insert) {
      add_match_values(result, columns);
    }
  }

  /// An inserted row belongs to its task as the match says.
  void add_match_values(EvaluationStatement& result, std::vector<std::string>& columns) {
    for (const auto& [joined, task] : m_operation.match) {
      if (std::ranges::find(result.set_columns, joined) == result.set_columns.end()) {
        result.set_columns.push_back(joined);
        columns.push_back(
            m_dialect.as_image(cast(m_writer.task_column(task), m_writer.column(m_table_name, joined), false)));
      }
    }
  }

  std::string set_value(const ColumnInfo& target, const Fragment& fragment) {
    return m_writer.fragment(fragment, [&](const std::string& name) {
      if (name == "reason") {
        return std::string{"v.v__reason"};
      }
      if (name == "finished") {
        return finished_value(target.name);
      }
      if (name == "now_text") {
        return m_writer.bind(now_text(m_now), "text");
      }
      return name == "now" ? m_writer.bind(encode_time(m_now, now_style(target, fragment)), target.type)
                           : std::string{};
    });
  }

  /// The end of a task differs from task to task, and its style from column to column: one value for each pair.
  void find_finished() {
    for (const auto& [name, fragment] : m_operation.set) {
      const auto& pieces = fragment.pieces();
      if (std::ranges::any_of(pieces, [](const Fragment::Piece& p) { return p.placeholder && p.text == "finished"; })) {
        const ColumnInfo& target = m_writer.column(m_table_name, name);
        m_finished.push_back({target.name, target.type, now_style(target, fragment)});
      }
    }
  }

  [[nodiscard]] std::string finished_value(const std::string& column) const {
    const auto found = std::ranges::find(m_finished, column, &FinishedColumn::name);
    return fmt::format("v.v__f{}", found - m_finished.begin() + 1);
  }

  /// The row is the one that comes first of its task's results. A set for all tasks at once: compared one by one, the
  /// results of a task with a hundred thousand of them would be read that often.
  [[nodiscard]] std::string is_first_result() const {
    const auto source = std::ranges::find_if(m_profile.evidence, [this](const EvidenceSource& entry) {
      return entry.kind == EvidenceSource::Kind::result && entry.table == m_table_name;
    });
    if (source == m_profile.evidence.end()) {
      throw Error{ExitCode::usage,
                  fmt::format("{}: '{}' is not a table of results", m_operation.when->where().display(), m_table_name)};
    }
    const TableInfo& table = m_writer.table(m_table_name);
    const StatementWriter task{m_profile, m_schema, m_dialect, {std::string{k_first_task_alias}, "", ""}};
    std::vector<std::string> own, columns, task_keys;
    for (const std::string& name : m_profile.key) {
      own.push_back(m_writer.task_column(name));
      task_keys.push_back(task.task_column(name));
    }
    columns = task_keys;
    for (const std::string& name : require_row_key(table)) {
      own.push_back(m_writer.qualified(k_row_alias, name));
      columns.push_back(m_writer.qualified(k_other_alias, name));
    }
    std::vector<std::string> names;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      names.push_back(fmt::format("f__{}", i));
      columns[i] += " AS " + names[i];
    }
    return fmt::format(
        "(({}) IN (SELECT {} FROM (SELECT {}, row_number() OVER (PARTITION BY {} ORDER BY {}) AS f__rank FROM v CROSS "
        "JOIN {} {} CROSS JOIN {} {} WHERE {} AND {}) first WHERE f__rank = 1))",
        join(own, ", "), join(names, ", "), join(columns, ", "), join(task_keys, ", "),
        evidence_order(m_writer, *source, k_other_alias), m_dialect.table(task.task_table().name), k_first_task_alias,
        m_dialect.table(table.name), k_other_alias, is_wanted_task(task),
        task.match(m_table_name, k_other_alias, source->match));
  }

  [[nodiscard]] std::vector<std::string> require_row_key(const TableInfo& table) const {
    std::vector<std::string> key = table.row_key();
    if (key.empty()) {
      throw Error{ExitCode::mismatch,
                  fmt::format("{}: table '{}' has neither a primary key nor a unique key without NULL",
                              m_operation.where.display(), table.name.display()),
                  "':first_result' must be able to tell its rows apart."};
    }
    return key;
  }

  /// The task of the writer's scope is one of those that are evaluated.
  [[nodiscard]] std::string is_wanted_task(const StatementWriter& writer) const {
    std::vector<std::string> conditions;
    for (std::size_t i = 0; i < m_profile.key.size(); ++i) {
      const std::string column = writer.task_column(m_profile.key[i]);
      const bool as_text =
          m_dialect.engine() == Engine::postgres && postgres_family(task_key(i).type) == TypeFamily::other;
      conditions.push_back(fmt::format("{} = v.v__k{}", as_text ? m_dialect.as_text(column) : column, i + 1));
    }
    return join(conditions, " AND ");
  }

  [[nodiscard]] TimeStyle now_style(const ColumnInfo& target, const Fragment& fragment) const {
    return time_style(m_profile, m_dialect, m_table_name, target, fragment);
  }

  [[nodiscard]] std::string cast(const std::string& value, const ColumnInfo& target, bool cut) const {
    return cast_to_column(m_dialect, value, target, cut);
  }

  const Profile& m_profile;
  const Schema& m_schema;
  const Dialect& m_dialect;
  const OperationSpec& m_operation;
  Instant m_now;
  std::string m_table_name;
  StatementWriter m_writer;
  std::vector<FinishedColumn> m_finished;
};

}  // namespace

EvaluationStatement render_evaluation(const Profile& profile, const Schema& schema, const Dialect& dialect,
                                      const OperationSpec& operation, std::span<const EvaluationInput> tasks,
                                      Instant now) {
  return EvaluationRenderer{profile, schema, dialect, operation, now}.render(tasks);
}

}  // namespace taskctl
