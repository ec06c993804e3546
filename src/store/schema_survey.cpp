#include "store/schema_survey.hpp"

#include <algorithm>
#include <array>

#include "sql/dialect.hpp"
#include "sql/render_survey.hpp"
#include "sql/statements.hpp"
#include "store/catalog.hpp"
#include "store/row_values.hpp"

namespace taskctl {

namespace {

constexpr std::size_t k_sampled_rows = 400;
constexpr std::size_t k_filled_values = 100;
/// A column with more different values is no vocabulary.
constexpr std::size_t k_most_values = 64;

}  // namespace

std::optional<std::size_t> TableSketch::position(std::string_view column) const {
  const auto found = std::ranges::find(info.columns, column, &ColumnInfo::name);
  return found == info.columns.end() ? std::nullopt
                                     : std::optional{static_cast<std::size_t>(found - info.columns.begin())};
}

std::vector<Value> TableSketch::values(std::string_view column) const {
  std::vector<Value> values;
  const auto at = position(column);
  if (!at) {
    return values;
  }
  for (const Row& row : rows) {
    if (!is_null(row.at(*at))) {
      values.push_back(row.at(*at));
    }
  }
  if (*at < filled.size()) {
    values.insert(values.end(), filled[*at].begin(), filled[*at].end());
  }
  return values;
}

std::vector<TableSketch> list_tables(Connection& connection, const std::string& journal_schema) {
  const Dialect dialect{connection.engine()};
  std::vector<TableSketch> tables;
  for (const Row& row : connection.query(dialect.statements().list_tables, std::array{Value{journal_schema}})) {
    const std::string schema = text_of(row[0]).value_or("");
    const std::string name = text_of(row[1]).value_or("");
    // A dot in a profile's name parts schema and table.
    const bool bare = flag_of(row[2]) && name.find('.') == std::string::npos;
    TableSketch sketch;
    sketch.name = bare ? name : (schema.empty() ? "main" : schema) + "." + name;
    sketch.info = read_table(connection, sketch.name);
    if (!sketch.info.columns.empty()) {
      tables.push_back(std::move(sketch));
    }
  }
  return tables;
}

void survey_rows(Connection& connection, TableSketch& table) {
  const Dialect dialect{connection.engine()};
  const std::string argument =
      dialect.engine() == Engine::sqlite ? table.info.name.name : dialect.table(table.info.name);
  table.checks.clear();
  for (const Row& row : connection.query(dialect.statements().table_checks, std::array{Value{argument}})) {
    table.checks.push_back(text_of(row[0]).value_or(""));
  }
  table.rows.clear();
  table.filled.assign(table.info.columns.size(), {});
  if (!table.info.can_select) {
    return;
  }
  table.rows = connection.query(render_sample(table.info, dialect, false, k_sampled_rows));
  if (table.rows.size() == k_sampled_rows && !table.info.primary_key.empty()) {
    std::vector<Row> newest = connection.query(render_sample(table.info, dialect, true, k_sampled_rows));
    table.rows.insert(table.rows.end(), std::make_move_iterator(newest.begin()), std::make_move_iterator(newest.end()));
  }
  if (table.rows.size() < k_sampled_rows) {
    return;  // every row was seen
  }
  for (std::size_t i = 0; i < table.info.columns.size(); ++i) {
    if (std::ranges::all_of(table.rows, [i](const Row& row) { return is_null(row.at(i)); })) {
      for (Row& row : connection.query(render_filled(table.info, dialect, table.info.columns[i], k_filled_values))) {
        table.filled[i].push_back(std::move(row.front()));
      }
    }
  }
}

void survey_values(Connection& connection, TableSketch& table, const std::string& column) {
  const auto at = table.position(column);
  if (!at || !table.info.can_select) {
    return;
  }
  table.frequency.resize(table.info.columns.size());
  std::vector<ValueCount>& counts = table.frequency[*at];
  counts.clear();
  const Dialect dialect{connection.engine()};
  for (const Row& row :
       connection.query(render_value_counts(table.info, dialect, table.info.columns[*at], k_most_values))) {
    counts.push_back({text_of(row[0]), integer_of(row[1]).value_or(0)});
  }
}

}  // namespace taskctl
