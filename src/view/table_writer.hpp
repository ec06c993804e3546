#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/spool.hpp"
#include "view/streams.hpp"

namespace taskctl {

/// Columns without borders, two spaces between them. Cells are made printable; a table wider than the terminal
/// cuts the columns marked shrinkable (widest first, never below 8) and keeps ids whole. Where cutting is not enough,
/// nothing is cut and the columns that do not fit go to further, indented lines of the same row.
/// Rows are spooled: memory does not grow with their number.
class TableWriter {
 public:
  struct Column {
    std::string title;  ///< upper case, no blanks
    bool right = false;
    bool shrinkable = false;
    bool optional = false;  ///< left out when no row has a value in it ("" or "-")
    bool fold = false;             ///< a row that needs several lines begins a further one here
  };
  explicit TableWriter(std::vector<Column> columns);
  void row(std::vector<std::string> cells, Style style = Style::plain);
  /// Prints titles and rows; nothing when there are no rows.
  void write(Streams& streams) const;

 private:
  struct Placed;
  [[nodiscard]] std::vector<Placed> layout(std::size_t width) const;
  [[nodiscard]] std::string lines(const std::vector<Placed>& layout, const std::vector<std::string>& cells, Style style,
                                  bool colour) const;

  std::vector<Column> m_columns;
  std::vector<std::size_t> m_widths;  ///< widest cell or title of each column
  std::vector<bool> m_used;           ///< some row has a value
  Spool m_rows;
};

/// One CSV (RFC 4180, CRLF-free) or TSV (\t \n \\ escaped) line with newline.
[[nodiscard]] std::string csv_line(const std::vector<std::string>& cells);
[[nodiscard]] std::string tsv_line(const std::vector<std::string>& cells);

}  // namespace taskctl
