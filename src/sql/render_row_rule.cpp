#include <algorithm>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "sql/column_type.hpp"
#include "sql/render.hpp"
#include "sql/set_value.hpp"
#include "sql/statement_writer.hpp"

namespace taskctl {

namespace {

constexpr std::string_view k_row_alias = "r";
constexpr std::string_view k_sums_alias = "s";
constexpr std::string_view k_plan = "taskctl_plan";
constexpr std::string_view k_tasks = "taskctl_tasks";
constexpr std::string_view k_worker = "taskctl_worker";

/// The row in the place of the task: its table and key, and no property of a task.
Profile as_rows(const Profile& profile, const RowRule& rule, const TableInfo& table) {
  Profile rows;
  rows.name = profile.name;
  rows.table = rule.table;
  rows.key = key_of(rule, table);
  return rows;
}

const TableInfo& table_of(const Schema& schema, const RowRule& rule) {
  const TableInfo* table = schema.find(rule.table);
  if (table == nullptr) {
    throw Error{ExitCode::mismatch, fmt::format("there is no table '{}'", rule.table),
                "Run 'taskctl profile check' to see how the profile fits the database."};
  }
  return *table;
}

/// `{tasks}`: the rows that the plan leaves alone, and those that it writes with their new values. Two halves, so that
/// conditions on the tasks still reach the indexes of the first. The plan is looked up by IN, which is hashed whatever
/// the planner expects: as an anti-join of a list that it takes for 100 rows long it is gone through for every task.
class OverlayRenderer {
 public:
  OverlayRenderer(const StatementWriter& tasks, const Profile& profile, const TaskOverlay& overlay)
      : m_tasks{tasks}, m_dialect{tasks.dialect()}, m_profile{profile}, m_overlay{overlay} {}

  [[nodiscard]] std::string sql(const std::string& parameter) const {
    const std::string table = m_dialect.table(m_tasks.task_table().name);
    return fmt::format(
        "WITH {0} AS MATERIALIZED ({1}), {2} AS NOT MATERIALIZED (SELECT {3} FROM {4} t WHERE "
        "(({5}) IN (SELECT {6} FROM {0} p)) IS NOT TRUE UNION ALL SELECT {7} FROM {0} p CROSS JOIN {4} t WHERE "
        "{8} AND p.removed = 0) ",
        k_plan, plan(parameter), k_tasks, columns(false), table, join(task_keys(), ", "), join(plan_keys(), ", "),
        columns(true), is_planned());
  }

 private:
  [[nodiscard]] std::string element(std::size_t position) const {
    return m_dialect.engine() == Engine::sqlite ? fmt::format("json_extract(e.value, '$[{}]')", position)
                                                : fmt::format("(e.value ->> {})", position);
  }

  [[nodiscard]] std::string typed(std::size_t position, const ColumnInfo& column) const {
    return m_dialect.engine() == Engine::sqlite ? element(position)
                                                : fmt::format("{}::{}", element(position), lossless_cast(column.type));
  }

  [[nodiscard]] std::string plan(const std::string& parameter) const {
    std::vector<std::string> values;
    std::size_t position = 0;
    for (const std::string& name : m_profile.key) {
      values.push_back(fmt::format("{} AS k{}", typed(position, column(name)), position));
      ++position;
    }
    const std::string removed = element(position++);
    values.push_back(fmt::format("CAST({} AS integer) AS removed", removed));
    for (const std::string& name : m_overlay.columns) {
      values.push_back(fmt::format("{} AS {}", typed(position++, column(name)), planned(name)));
    }
    const std::string from = m_dialect.engine() == Engine::sqlite
                                 ? fmt::format("json_each({}) e", parameter)
                                 : fmt::format("json_array_elements({}) AS e(value)", parameter);
    return fmt::format("SELECT {} FROM {}", join(values, ", "), from);
  }

  [[nodiscard]] bool is_compared_as_text(const std::string& key) const {
    return m_dialect.engine() == Engine::postgres && postgres_family(column(key).type) == TypeFamily::other;
  }

  [[nodiscard]] std::vector<std::string> task_keys() const {
    std::vector<std::string> keys;
    for (const std::string& name : m_profile.key) {
      const std::string own = m_tasks.task_column(name);
      keys.push_back(is_compared_as_text(name) ? m_dialect.as_text(own) : own);
    }
    return keys;
  }

  [[nodiscard]] std::vector<std::string> plan_keys() const {
    std::vector<std::string> keys;
    for (std::size_t i = 0; i < m_profile.key.size(); ++i) {
      const std::string key = fmt::format("p.k{}", i);
      keys.push_back(is_compared_as_text(m_profile.key[i]) ? m_dialect.as_text(key) : key);
    }
    return keys;
  }

  [[nodiscard]] std::string is_planned() const {
    const std::vector<std::string> own = task_keys();
    const std::vector<std::string> planned = plan_keys();
    std::vector<std::string> conditions;
    for (std::size_t i = 0; i < own.size(); ++i) {
      conditions.push_back(fmt::format("{} = {}", own[i], planned[i]));
    }
    return join(conditions, " AND ");
  }

  [[nodiscard]] std::string columns(bool from_plan) const {
    std::vector<std::string> list;
    for (const ColumnInfo& info : m_tasks.task_table().columns) {
      const std::string value =
          from_plan && is_carried(info.name) ? "p." + planned(info.name) : m_tasks.task_column(info.name);
      list.push_back(fmt::format("{} AS {}", value, m_dialect.identifier(info.name)));
    }
    if (m_profile.worker.given()) {
      list.push_back(fmt::format("{} AS {}", worker(from_plan), k_worker));
    }
    return join(list, ", ");
  }

  /// An expression over other columns, or a look-up, gives the worker that the task had before the plan.
  [[nodiscard]] std::string worker(bool from_plan) const {
    const bool carried = m_profile.worker.kind == Attribute::Kind::column && is_carried(m_profile.worker.column);
    return from_plan && carried ? "p." + planned(m_profile.worker.column) : m_tasks.raw(m_profile.worker);
  }

  [[nodiscard]] bool is_carried(const std::string& name) const {
    return std::find(m_overlay.columns.begin(), m_overlay.columns.end(), name) != m_overlay.columns.end();
  }

  [[nodiscard]] std::string planned(const std::string& name) const { return m_dialect.identifier("v__" + name); }
  [[nodiscard]] const ColumnInfo& column(const std::string& name) const {
    return m_tasks.column(m_profile.table, name);
  }

  const StatementWriter& m_tasks;
  const Dialect& m_dialect;
  const Profile& m_profile;
  const TaskOverlay& m_overlay;
};

class RowRuleRenderer {
 public:
  RowRuleRenderer(const Profile& profile, const Schema& schema, const Dialect& dialect, const RowRuleRequest& request)
      : m_profile{profile},
        m_schema{schema},
        m_dialect{dialect},
        m_request{request},
        m_rule{request.rule},
        m_table{table_of(schema, request.rule)},
        m_rows{as_rows(profile, request.rule, m_table)},
        m_writer{m_rows, schema, dialect, TaskScope{std::string{k_row_alias}, "", ""}} {}

  RowRuleStatement render() {
    const std::string with = overlay();
    std::vector<std::string> columns;
    add_row(columns);
    add_values(columns);
    if (!m_rule.since.empty()) {
      m_result.since = static_cast<int>(columns.size());
      const ColumnInfo& since = m_writer.column(m_rule.table, m_rule.since);
      columns.push_back(m_dialect.as_time(m_writer.task_column(since.name), since.type));
    }
    const std::string joined = sums();
    const std::string conditions = where();
    m_result.evaluation.statement.sql =
        fmt::format("{}SELECT {} FROM {} {}{}{}{}", with, join(columns, ", "), m_dialect.table(m_table.name),
                    k_row_alias, joined, conditions, m_request.lock ? m_dialect.lock_clause(k_row_alias) : "");
    m_result.evaluation.statement.parameters = m_writer.take_parameters();
    return std::move(m_result);
  }

 private:
  std::string overlay() {
    if (m_request.overlay == nullptr) {
      return {};
    }
    const StatementWriter tasks{m_profile, m_schema, m_dialect};
    return OverlayRenderer{tasks, m_profile, *m_request.overlay}.sql(m_writer.bind(m_request.overlay->rows, "json"));
  }

  void add_row(std::vector<std::string>& columns) {
    EvaluationStatement& evaluation = m_result.evaluation;
    evaluation.task_key_count = m_rows.key.size();
    for (const std::string& name : m_rows.key) {
      columns.push_back(m_dialect.as_text(m_writer.task_column(name)));
    }
    evaluation.image = columns.size();
    for (const ColumnInfo& column : m_table.columns) {
      evaluation.image_columns.push_back(column.name);
      columns.push_back(m_dialect.as_image(m_writer.task_column(column.name)));
    }
    evaluation.values = columns.size();
  }

  void add_values(std::vector<std::string>& columns) {
    if (!m_rule.op) {
      return;
    }
    for (const auto& [name, fragment] : m_rule.op->set) {
      const ColumnInfo& target = m_writer.column(m_rule.table, name);
      require_settable(target, fragment);
      m_result.evaluation.set_columns.push_back(name);
      const std::string value = m_writer.fragment(
          fragment, [&](const std::string& placeholder) { return meaning(placeholder, target, fragment); });
      columns.push_back(m_dialect.as_image(cast_to_column(m_dialect, value, target, is_only_reason(fragment))));
    }
  }

  std::string meaning(const std::string& placeholder, const ColumnInfo& target, const Fragment& fragment) {
    if (placeholder == k_tasks_relation) {
      return tasks();
    }
    if (placeholder == "reason") {
      return m_writer.bind(m_request.reason, "text");
    }
    if (placeholder == "now_text") {
      return m_writer.bind(now_text(m_request.now), "text");
    }
    if (placeholder == "now") {
      const TimeStyle style = time_style(m_profile, m_dialect, m_rule.table, target, fragment);
      return m_writer.bind(encode_time(m_request.now, style), target.type);
    }
    return {};
  }

  [[nodiscard]] std::string tasks() const { return m_request.overlay == nullptr ? tasks_now() : std::string{k_tasks}; }

  std::string sums() {
    if (!m_rule.sums) {
      return {};
    }
    std::vector<std::string> conditions;
    for (const RowRule::Tie& tie : m_rule.ties) {
      const ColumnInfo& column = m_writer.column(m_rule.table, tie.column);
      conditions.push_back(
          fmt::format("{} = {}", m_writer.qualified(k_sums_alias, column.name), m_writer.task_column(column.name)));
    }
    return fmt::format(" LEFT JOIN {} {} ON {}",
                       m_writer.fragment(*m_rule.sums, [&](const std::string&) { return tasks(); }), k_sums_alias,
                       join(conditions, " AND "));
  }

  /// `{tasks}` as they are: the columns of the table, and the worker as taskctl_worker.
  [[nodiscard]] std::string tasks_now() const {
    const StatementWriter tasks{m_profile, m_schema, m_dialect};
    const std::string table = m_dialect.table(tasks.task_table().name);
    return m_profile.worker.given()
               ? fmt::format("(SELECT t.*, {} AS {} FROM {} t)", tasks.raw(m_profile.worker), k_worker, table)
               : table;
  }

  std::string where() {
    std::vector<std::string> conditions;
    if (m_rule.when) {
      conditions.push_back(m_writer.fragment(*m_rule.when));
    }
    if (m_request.keys) {
      conditions.push_back(m_writer.key_in(*m_request.keys));
    }
    if (!m_request.tied_column.empty()) {
      std::vector<std::string> texts;
      for (const std::string& text : m_request.tied_texts) {
        texts.push_back(m_writer.bind(text, "text"));
      }
      const std::string column =
          m_dialect.as_text(m_writer.task_column(m_writer.column(m_rule.table, m_request.tied_column).name));
      conditions.push_back(texts.empty() ? any_of({}) : fmt::format("{} IN ({})", column, join(texts, ", ")));
    }
    return conditions.empty() ? std::string{} : " WHERE " + join(conditions, " AND ");
  }

  const Profile& m_profile;
  const Schema& m_schema;
  const Dialect& m_dialect;
  const RowRuleRequest& m_request;
  const RowRule& m_rule;
  const TableInfo& m_table;
  Profile m_rows;
  StatementWriter m_writer;
  RowRuleStatement m_result;
};

}  // namespace

std::vector<std::string> key_of(const RowRule& rule, const TableInfo& table) {
  std::vector<std::string> key = rule.key.empty() ? table.row_key() : rule.key;
  if (key.empty()) {
    throw Error{ExitCode::mismatch,
                fmt::format("{}: table '{}' has neither a primary key nor a unique key without NULL",
                            rule.where.display(), rule.table),
                "Name the columns that identify a row with 'key'."};
  }
  return key;
}

RowRuleStatement render_row_rule(const Profile& profile, const Schema& schema, const Dialect& dialect,
                                 const RowRuleRequest& request) {
  return RowRuleRenderer{profile, schema, dialect, request}.render();
}

}  // namespace taskctl
