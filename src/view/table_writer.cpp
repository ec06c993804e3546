#include "view/table_writer.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "base/bytes.hpp"
#include "base/text.hpp"

namespace taskctl {

namespace {

constexpr std::size_t k_gap = 2;
constexpr std::size_t k_smallest = 8;  // a cut column keeps this much
constexpr std::size_t k_indent = 4;    // of the further lines of a row

bool has_value(const std::string& cell) {
  return !cell.empty() && cell != "-";
}

std::string padded(const std::string& cell, std::size_t width, bool right) {
  const std::size_t used = display_width(cell);
  const std::string blanks(used < width ? width - used : 0, ' ');
  return right ? blanks + cell : cell + blanks;
}

}  // namespace

/// A column as it is printed: which, how wide, and whether it begins a further line.
struct TableWriter::Placed {
  std::size_t column;
  std::size_t width;
  bool new_line;
};

TableWriter::TableWriter(std::vector<Column> columns) : m_columns{std::move(columns)}, m_used(m_columns.size(), false) {
  for (const Column& column : m_columns) {
    m_widths.push_back(display_width(column.title));
  }
}

void TableWriter::row(std::vector<std::string> cells, Style style) {
  if (cells.size() != m_columns.size()) {
    throw std::logic_error{"a table row has another number of cells than the table has columns"};
  }
  ByteWriter bytes;
  bytes.number(static_cast<std::int64_t>(style));
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string cell = printable(cells[i]);
    m_widths[i] = std::max(m_widths[i], display_width(cell));
    m_used[i] = m_used[i] || has_value(cell);
    bytes.text(cell);
  }
  m_rows.append(bytes.bytes());
}

std::vector<TableWriter::Placed> TableWriter::layout(std::size_t width) const {
  std::vector<Placed> natural;
  std::size_t total = 0;
  for (std::size_t i = 0; i < m_columns.size(); ++i) {
    if (!m_columns[i].optional || m_used[i]) {
      natural.push_back({i, m_widths[i], false});
      total += m_widths[i] + (natural.size() > 1 ? k_gap : 0);
    }
  }
  if (width == 0 || total <= width) {
    return natural;
  }
  std::vector<Placed> cut = natural;
  while (total > width) {
    Placed* widest = nullptr;
    for (Placed& placed : cut) {
      if (m_columns[placed.column].shrinkable && placed.width > k_smallest &&
          (widest == nullptr || placed.width > widest->width)) {
        widest = &placed;
      }
    }
    if (widest == nullptr) {
      break;
    }
    --widest->width;
    --total;
  }
  if (total <= width) {
    return cut;
  }
  std::size_t used = 0;
  for (Placed& placed : natural) {
    placed.new_line = used != 0 && (m_columns[placed.column].fold || used + k_gap + placed.width > width);
    used = placed.new_line ? k_indent + placed.width : used + (used == 0 ? 0 : k_gap) + placed.width;
  }
  return natural;
}

std::string TableWriter::lines(const std::vector<Placed>& layout, const std::vector<std::string>& cells, Style style,
                               bool colour) const {
  std::string text;
  std::string line;
  const auto end_line = [&] {
    line.erase(line.find_last_not_of(' ') + 1);
    text += styled(line, style, colour) + "\n";
  };
  for (std::size_t i = 0; i < layout.size(); ++i) {
    const Placed& placed = layout[i];
    if (placed.new_line) {
      end_line();
      line.assign(k_indent, ' ');
    } else if (i != 0) {
      line.append(k_gap, ' ');
    }
    line += padded(truncate_to_width(cells[placed.column], placed.width), placed.width, m_columns[placed.column].right);
  }
  end_line();
  return text;
}

void TableWriter::write(Streams& streams) const {
  if (m_rows.count() == 0) {
    return;
  }
  const bool colour = streams.options().colour;
  const std::vector<Placed> placed = layout(streams.options().width);
  std::vector<std::string> cells;
  for (const Column& column : m_columns) {
    cells.push_back(column.title);
  }
  streams.out(lines(placed, cells, Style::bold, colour));
  m_rows.for_each([&](std::string_view record) {
    ByteReader bytes{record};
    const auto style = static_cast<Style>(bytes.number());
    for (std::string& cell : cells) {
      cell = bytes.text();
    }
    streams.out(lines(placed, cells, style, colour));
  });
}

std::string csv_line(const std::vector<std::string>& cells) {
  std::string line;
  for (const std::string& cell : cells) {
    if (&cell != &cells.front()) {
      line.push_back(',');
    }
    if (cell.find_first_of(",\"\r\n") == std::string::npos) {
      line += cell;
      continue;
    }
    line.push_back('"');
    for (const char c : cell) {
      line.append(c == '"' ? 2 : 1, c);
    }
    line.push_back('"');
  }
  return line + "\n";
}

std::string tsv_line(const std::vector<std::string>& cells) {
  std::string line;
  for (const std::string& cell : cells) {
    if (&cell != &cells.front()) {
      line.push_back('\t');
    }
    for (const char c : cell) {
      switch (c) {
        case '\t':
          line += "\\t";
          break;
        case '\n':
          line += "\\n";
          break;
        case '\r':
          line += "\\r";
          break;
        case '\\':
          line += "\\\\";
          break;
        default:
          line.push_back(c);
      }
    }
  }
  return line + "\n";
}

}  // namespace taskctl
