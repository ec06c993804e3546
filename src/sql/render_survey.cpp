#include "sql/render_survey.hpp"

#include <vector>

#include <fmt/format.h>

#include "base/text.hpp"

namespace taskctl {

namespace {

constexpr int k_sampled_characters = 200;

std::string sampled(const Dialect& dialect, const ColumnInfo& column) {
  const std::string name = dialect.identifier(column.name);
  if (dialect.engine() == Engine::sqlite) {
    return fmt::format("CASE typeof({0}) WHEN 'text' THEN substr({0}, 1, {1}) WHEN 'blob' THEN NULL ELSE {0} END", name,
                       k_sampled_characters);
  }
  const std::string text = fmt::format("{}::text", name);
  const std::string time = dialect.as_time(name, column.type);
  return time == text ? fmt::format("left({}, {})", text, k_sampled_characters) : time;
}

}  // namespace

std::string render_sample(const TableInfo& table, const Dialect& dialect, bool newest, std::size_t limit) {
  std::vector<std::string> columns;
  for (const ColumnInfo& column : table.columns) {
    columns.push_back(sampled(dialect, column));
  }
  std::vector<std::string> order;
  for (const std::string& column : newest ? table.primary_key : std::vector<std::string>{}) {
    order.push_back(dialect.identifier(column) + " DESC");
  }
  return fmt::format("SELECT {} FROM {}{} LIMIT {}", join(columns, ", "), dialect.table(table.name),
                     order.empty() ? "" : " ORDER BY " + join(order, ", "), limit);
}

std::string render_filled(const TableInfo& table, const Dialect& dialect, const ColumnInfo& column, std::size_t limit) {
  return fmt::format("SELECT {} FROM {} WHERE {} IS NOT NULL LIMIT {}", sampled(dialect, column),
                     dialect.table(table.name), dialect.identifier(column.name), limit);
}

std::string render_value_counts(const TableInfo& table, const Dialect& dialect, const ColumnInfo& column,
                                std::size_t limit) {
  return fmt::format("SELECT {} AS v__text, count(*) AS v__count FROM {} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {}",
                     dialect.as_text(dialect.identifier(column.name)), dialect.table(table.name), limit);
}

}  // namespace taskctl
