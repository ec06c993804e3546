#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sql/schema.hpp"
#include "store/connection.hpp"

namespace taskctl {

/// How often a value stands in a column.
struct ValueCount {
  std::optional<std::string> text;  ///< nullopt: NULL
  std::int64_t count = 0;
};

/// A table as somebody sees it who knows nothing of it: its catalogue entry, and some of its rows.
struct TableSketch {
  std::string name;  ///< as a profile names it: with its schema where the bare name would not find it
  TableInfo info;
  std::vector<std::string> checks;                 ///< texts in which its CHECK constraints stand
  std::vector<Row> rows;                           ///< sampled, in the order of info.columns
  std::vector<std::vector<Value>> filled;          ///< per column: values that are not NULL; may be empty
  std::vector<std::vector<ValueCount>> frequency;  ///< per column: its most frequent values; empty: not counted

  [[nodiscard]] std::optional<std::size_t> position(std::string_view column) const;
  /// Every value seen in a column that is not NULL.
  [[nodiscard]] std::vector<Value> values(std::string_view column) const;
};

/// Every table that may hold tasks, with its catalogue entry and nothing of its rows.
std::vector<TableSketch> list_tables(Connection& connection, const std::string& journal_schema);

/// Reads constraints and a sample of the rows: the first and the newest, and for columns that are NULL in all of them,
/// some that are not. A table that may not be read keeps no rows.
void survey_rows(Connection& connection, TableSketch& table);

/// Counts the values of one column: reads the whole table, or an index.
void survey_values(Connection& connection, TableSketch& table, const std::string& column);

}  // namespace taskctl
