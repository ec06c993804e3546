#pragma once

#include <cstddef>
#include <string>

#include "sql/dialect.hpp"
#include "sql/schema.hpp"

namespace taskctl {

/// Statements that look at a table of which nothing is known. No parameters. Values are handed over as as_time() does,
/// texts cut to their first 200 characters, blobs of SQLite as NULL.

/// All columns of some rows: the first that come, or, with `newest`, the last by the primary key.
std::string render_sample(const TableInfo& table, const Dialect& dialect, bool newest, std::size_t limit);

/// Values of one column that are not NULL.
std::string render_filled(const TableInfo& table, const Dialect& dialect, const ColumnInfo& column, std::size_t limit);

/// The values of one column with how often each occurs, most frequent first: value as text, count.
std::string render_value_counts(const TableInfo& table, const Dialect& dialect, const ColumnInfo& column,
                                std::size_t limit);

}  // namespace taskctl
