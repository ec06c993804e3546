#include "store/postgres/rows_backup.hpp"

#include <algorithm>
#include <fstream>
#include <span>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "sql/dialect.hpp"
#include "sql/render.hpp"
#include "store/catalog.hpp"
#include "store/postgres/row_text.hpp"

namespace taskctl::postgres {
namespace {

constexpr std::size_t k_keys_per_statement = 500;
constexpr std::string_view k_table_mark = "-- taskctl table: ";
constexpr std::string_view k_end_mark = "-- taskctl end of backup";
constexpr std::string_view k_data_end = "\\.";

constexpr std::string_view k_head = R"(-- Rows that taskctl was about to change, as they were in one snapshot.
-- Put them back with:  psql -X -f THIS_FILE DATABASE
-- Rows that have changed since get their old values, rows that are gone come back. Triggers fire; a superuser can
-- prevent that with SET session_replication_role = replica.
\set ON_ERROR_STOP on
SET standard_conforming_strings = on;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
SET IntervalStyle = 'postgres';
BEGIN;
SET CONSTRAINTS ALL DEFERRED;
)";

/// COPY's text format.
std::string copy_field(const Value& value) {
  if (is_null(value)) {
    return "\\N";
  }
  std::string result;
  for (const char c : text_or_empty(value)) {
    switch (c) {
      case '\\':
        result += "\\\\";
        break;
      case '\n':
        result += "\\n";
        break;
      case '\r':
        result += "\\r";
        break;
      case '\t':
        result += "\\t";
        break;
      default:
        result += c;
    }
  }
  return result;
}

/// One table's part of the script.
class TableScript {
 public:
  TableScript(const TableInfo& table, std::vector<std::string> key) : m_table{table}, m_key{std::move(key)} {}

  [[nodiscard]] std::string before_data() const {
    const std::string name = m_dialect.table(m_table.name);
    std::string text = fmt::format("\n{}{}\n-- CREATE TABLE IF NOT EXISTS {} (\n", k_table_mark,
                                   printable(m_table.name.display()), printable(name));
    for (const ColumnInfo& column : m_table.columns) {
      text += fmt::format("--   {} {}{},\n", printable(m_dialect.identifier(column.name)), printable(column.type),
                          column.not_null ? " NOT NULL" : "");
    }
    text += m_table.primary_key.empty()
                ? std::string{"-- );\n"}
                : fmt::format("--   PRIMARY KEY ({})\n-- );\n", printable(list(m_table.primary_key)));
    const std::string columns = list(written_columns());
    return text + fmt::format(
                      "CREATE TEMPORARY TABLE taskctl_rows AS SELECT {0} FROM {1} WITH NO DATA;\n"
                      "COPY taskctl_rows ({0}) FROM stdin;\n",
                      columns, name);
  }

  [[nodiscard]] std::string data_line(const Row& row) const {
    std::vector<std::string> fields;
    for (std::size_t i = 0; i < m_table.columns.size(); ++i) {
      if (!m_table.columns[i].generated) {
        fields.push_back(copy_field(row.at(i)));
      }
    }
    return join(fields, "\t") + "\n";
  }

  [[nodiscard]] std::string after_data() const {
    const std::string name = m_dialect.table(m_table.name);
    std::string same;
    for (const std::string& column : m_key) {
      const std::string quoted = m_dialect.identifier(column);
      same += (same.empty() ? "" : " AND ") + fmt::format("t.{0} = r.{0}", quoted);
    }
    std::string set;
    for (const ColumnInfo& column : m_table.columns) {
      const bool key = std::find(m_key.begin(), m_key.end(), column.name) != m_key.end();
      if (!key && !column.generated && !column.identity_always) {
        set += (set.empty() ? "" : ", ") + fmt::format("{0} = r.{0}", m_dialect.identifier(column.name));
      }
    }
    const std::string columns = list(written_columns());
    std::string text = std::string{k_data_end} + "\n";
    if (!set.empty()) {
      text += fmt::format("UPDATE {} AS t SET {} FROM taskctl_rows AS r WHERE {};\n", name, set, same);
    }
    return text + fmt::format(
                      "INSERT INTO {0} ({1}) OVERRIDING SYSTEM VALUE SELECT {1} FROM taskctl_rows AS r"
                      " WHERE NOT EXISTS (SELECT FROM {0} AS t WHERE {2});\nDROP TABLE taskctl_rows;\n",
                      name, columns, same);
  }

 private:
  [[nodiscard]] std::vector<std::string> written_columns() const {
    std::vector<std::string> names;
    for (const ColumnInfo& column : m_table.columns) {
      if (!column.generated) {
        names.push_back(column.name);
      }
    }
    return names;
  }
  [[nodiscard]] std::string list(const std::vector<std::string>& names) const {
    std::vector<std::string> quoted;
    for (const std::string& name : names) {
      quoted.push_back(m_dialect.identifier(name));
    }
    return join(quoted, ", ");
  }

  const TableInfo& m_table;
  std::vector<std::string> m_key;
  Dialect m_dialect{Engine::postgres};
};

std::int64_t write_table(Connection& connection, const TableInfo& table, std::span<const RowKey> keys,
                         std::ofstream& out) {
  const TableScript script{table, keys.front().columns};
  const Dialect dialect{Engine::postgres};
  out << script.before_data();
  std::int64_t written = 0;
  for (std::size_t at = 0; at < keys.size(); at += k_keys_per_statement) {
    const auto part = keys.subspan(at, std::min(k_keys_per_statement, keys.size() - at));
    const RenderedStatement read = render_read_rows(table, dialect, part, false);
    connection.run(read.sql, read.parameters, [&](const Row& row) {
      out << script.data_line(row);
      ++written;
    });
  }
  out << script.after_data();
  return written;
}

}  // namespace

std::map<std::string, std::int64_t> write_rows(Connection& connection, const RowsByTable& rows,
                                               const std::filesystem::path& file) {
  std::ofstream out{file, std::ios::binary | std::ios::trunc};
  std::map<std::string, std::int64_t> counts;
  const std::string encoding = text_or_empty(connection.query("SHOW client_encoding").at(0).at(0));
  out << k_head << "SET client_encoding = " << Dialect{Engine::postgres}.literal(encoding) << ";\n";
  for (const auto& [name, keys] : rows) {
    if (keys.empty()) {
      continue;
    }
    const TableInfo table = read_table(connection, name.display());
    if (table.columns.empty()) {
      throw Error{ExitCode::backup, "there is no table '" + name.display() + "'"};
    }
    counts[printable(table.name.display())] += write_table(connection, table, keys, out);
  }
  out << "COMMIT;\n" << k_end_mark << '\n';
  out.close();
  if (!out) {
    throw Error{ExitCode::backup, "the backup cannot be written to '" + file.parent_path().string() + "'",
                "Make room there, or name another folder with --backup-dir."};
  }
  return counts;
}

std::map<std::string, std::int64_t> count_rows(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  std::map<std::string, std::int64_t> counts;
  std::string table;
  std::string line;
  std::string last;
  bool data = false;
  while (std::getline(in, line)) {
    if (data && line == k_data_end) {
      data = false;
    } else if (data) {
      ++counts[table];
    } else if (line.starts_with(k_table_mark)) {
      table = line.substr(k_table_mark.size());
      counts.try_emplace(table, 0);
    } else if (line.starts_with("COPY taskctl_rows ")) {
      data = true;
    }
    last = line;
  }
  if (data || last != k_end_mark) {
    throw Error{ExitCode::backup, "the backup '" + file.string() + "' is cut off"};
  }
  return counts;
}

}  // namespace taskctl::postgres
