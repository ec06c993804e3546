#pragma once

#include <string>
#include <vector>

#include "view/streams.hpp"

namespace taskctl {

/// Columns without borders, two spaces between them. Cells are made printable; a table wider than the terminal
/// cuts the columns marked shrinkable (widest first, never below 8) and keeps ids whole.
class TableWriter {
 public:
  struct Column {
    std::string title;             ///< upper case, no blanks
    bool right = false;
    bool shrinkable = false;
  };
  explicit TableWriter(std::vector<Column> columns) : m_columns{std::move(columns)} {}
  void row(std::vector<std::string> cells, Style style = Style::plain);
  /// Prints titles and rows; nothing when there are no rows.
  void write(Streams& streams) const;

 private:
  struct RowCells { std::vector<std::string> cells; Style style; };
  std::vector<Column> m_columns;
  std::vector<RowCells> m_rows;
};

/// One CSV (RFC 4180, CRLF-free) or TSV (\t \n \\ escaped) line with newline.
[[nodiscard]] std::string csv_line(const std::vector<std::string>& cells);
[[nodiscard]] std::string tsv_line(const std::vector<std::string>& cells);

}  // namespace taskctl
