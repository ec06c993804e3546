#include <algorithm>
#include <iterator>
#include <set>

#include <fmt/format.h>

#include "base/text.hpp"
#include "sql/evidence_order.hpp"
#include "sql/render.hpp"
#include "sql/statement_writer.hpp"

namespace taskctl {

namespace {

using Kind = EvidenceSource::Kind;

/// Of each text only the end is fetched: a log row can hold megabytes.
constexpr std::size_t k_text_characters = 64U * 1024U;
/// The one that counts, and whether there is another.
constexpr std::size_t k_result_rows = 2;

constexpr std::string_view k_evidence_alias = "e";

std::string end_of(const std::string& expression, const Dialect& dialect) {
  const std::string text = dialect.as_text(expression);
  return dialect.engine() == Engine::sqlite ? fmt::format("substr({}, -{})", text, k_text_characters)
                                            : fmt::format("right({}, {})", text, k_text_characters);
}

/// Does an index lead to the rows of a task in their order?
bool has_ordered_index(const TableInfo& table, const EvidenceSource& source) {
  return std::ranges::any_of(table.indexes, [&](const std::vector<std::string>& index) {
    const std::size_t keys = source.match.size();
    return index.size() > keys && index[keys] == source.order_by &&
           std::all_of(
               index.begin(), index.begin() + static_cast<std::ptrdiff_t>(keys), [&](const std::string& column) {
                 return std::ranges::any_of(source.match, [&](const auto& pair) { return pair.first == column; });
               });
  });
}

/// Reads the rows of one entry. The inner select picks rows and hands over their columns as they are; only the picked
/// rows' texts are taken out of storage.
class EvidenceRenderer {
 public:
  EvidenceRenderer(const Profile& profile, const Schema& schema, const Dialect& dialect, const EvidenceSource& source)
      : m_source{source}, m_dialect{dialect}, m_writer{profile, schema, dialect} {}

  EvidenceStatement render(std::span<const TaskKey> keys) {
    EvidenceStatement result;
    result.task_key_count = m_writer.profile().key.size();
    result.text = result.task_key_count;
    result.finished = result.text + 1;
    result.rank = result.finished + 1;
    result.row_key = result.rank + 1;
    if (m_source.kind == Kind::column) {
      result.statement.sql = own_column(keys);
    } else {
      const TableInfo& table = m_writer.table(m_source.table);
      result.row_key_columns = table.row_key();
      result.statement.sql = rows(table, result.row_key_columns, keys);
    }
    result.statement.parameters = m_writer.take_parameters();
    return result;
  }

 private:
  [[nodiscard]] std::vector<std::string> task_keys() const {
    std::vector<std::string> columns;
    for (const std::string& name : m_writer.profile().key) {
      columns.push_back(m_writer.task_column(name));
    }
    return columns;
  }

  std::string own_column(std::span<const TaskKey> keys) {
    std::vector<std::string> columns;
    for (const std::string& key : task_keys()) {
      columns.push_back(m_dialect.as_text(key));
    }
    columns.push_back(end_of(m_writer.task_column(m_source.value), m_dialect));
    return fmt::format("SELECT {}, NULL, 1 FROM {} t WHERE {}", join(columns, ", "),
                       m_dialect.table(m_writer.task_table().name), m_writer.key_in(keys));
  }

  [[nodiscard]] std::string column_of_row(const std::string& name) const {
    return m_writer.qualified(k_evidence_alias, m_writer.column(m_source.table, name).name);
  }

  /// Columns of the inner select that belong to the row.
  [[nodiscard]] std::vector<std::string> picked(const std::vector<std::string>& row_key) const {
    std::vector<std::string> columns{
        column_of_row(m_source.value) + " AS e__text",
        (m_source.finished.empty() ? "NULL" : column_of_row(m_source.finished)) + " AS e__finished"};
    for (std::size_t i = 0; i < row_key.size(); ++i) {
      columns.push_back(fmt::format("{} AS e__r{}", column_of_row(row_key[i]), i + 1));
    }
    return columns;
  }

  [[nodiscard]] std::string outer(const std::vector<std::string>& row_key, bool lateral) const {
    std::vector<std::string> columns;
    const std::vector<std::string> keys = task_keys();
    for (std::size_t i = 0; i < keys.size(); ++i) {
      columns.push_back(m_dialect.as_text(lateral ? keys[i] : fmt::format("e.e__t{}", i + 1)));
    }
    columns.push_back(end_of("e.e__text", m_dialect));
    columns.push_back(
        m_source.finished.empty()
            ? "NULL"
            : m_dialect.as_time("e.e__finished", m_writer.column(m_source.table, m_source.finished).type));
    columns.emplace_back("e.e__rank");
    for (std::size_t i = 0; i < row_key.size(); ++i) {
      columns.push_back(m_dialect.as_text(fmt::format("e.e__r{}", i + 1)));
    }
    return join(columns, ", ");
  }

  /// With an index each task's rows are fetched by it, and no more of them than wanted. Without one a single pass over
  /// the table serves all tasks.
  std::string rows(const TableInfo& table, const std::vector<std::string>& row_key, std::span<const TaskKey> keys) {
    const std::string order = evidence_order(m_writer, m_source, k_evidence_alias);
    const std::size_t wanted = m_source.kind == Kind::result ? k_result_rows : m_source.tail;
    const std::string tasks = m_dialect.table(m_writer.task_table().name) + " t";
    const std::string from = fmt::format("{} {}", m_dialect.table(table.name), k_evidence_alias);
    const std::string match = m_writer.match(m_source.table, k_evidence_alias, m_source.match);
    std::vector<std::string> columns = picked(row_key);
    const bool indexed = is_found_by_index(table, m_source);
    if (indexed && m_dialect.engine() == Engine::postgres) {
      columns.push_back(fmt::format("row_number() OVER (ORDER BY {}) AS e__rank", order));
      return fmt::format("SELECT {} FROM {} CROSS JOIN LATERAL (SELECT {} FROM {} ORDER BY {} LIMIT {}) e WHERE {}",
                         outer(row_key, true), tasks, join(columns, ", "), rows_of_task(table, from, match), order,
                         wanted, m_writer.key_in(keys));
    }
    const std::vector<std::string> task_columns = task_keys();
    for (std::size_t i = 0; i < task_columns.size(); ++i) {
      columns.push_back(fmt::format("{} AS e__t{}", task_columns[i], i + 1));
    }
    if (indexed) {  // SQLite has no LATERAL: one statement per task, whose rows come in order
      columns.emplace_back("NULL AS e__rank");
      return fmt::format("SELECT {} FROM (SELECT {} FROM {} CROSS JOIN {} WHERE {} AND {} ORDER BY {} LIMIT {}) e",
                         outer(row_key, false), join(columns, ", "), tasks, from, m_writer.key_in(keys), match, order,
                         wanted);
    }
    columns.push_back(
        fmt::format("row_number() OVER (PARTITION BY {} ORDER BY {}) AS e__rank", join(task_columns, ", "), order));
    // In this order SQLite reads the big table once instead of building an index over it.
    return fmt::format("SELECT {} FROM (SELECT {} FROM {} CROSS JOIN {} WHERE {} AND {}) e WHERE e.e__rank <= {}",
                       outer(row_key, false), join(columns, ", "), from, tasks, m_writer.key_in(keys), match, wanted);
  }

  /// PostgreSQL may take ORDER BY … LIMIT for a reason to walk through the whole table by the index of the order, for
  /// every task that has fewer rows than the limit: a minute for 500 tasks beside one with 100,000 results. It looks
  /// for the task's rows first where the limit stands outside of what OFFSET 0 shuts in; not needed where one index has
  /// both.
  [[nodiscard]] std::string rows_of_task(const TableInfo& table, const std::string& from,
                                         const std::string& match) const {
    if (has_ordered_index(table, m_source)) {
      return fmt::format("{} WHERE {}", from, match);
    }
    return fmt::format("(SELECT {} FROM {} WHERE {} OFFSET 0) {}", join(columns_read(table), ", "), from, match,
                       k_evidence_alias);
  }

  /// By name: a role may be allowed to read no others.
  [[nodiscard]] std::vector<std::string> columns_read(const TableInfo& table) const {
    std::set<std::string> names{m_source.value};
    if (!m_source.finished.empty()) {
      names.insert(m_source.finished);
    }
    const std::vector<std::string> row_key = table.row_key();
    names.insert(row_key.begin(), row_key.end());
    names.insert(m_source.order_by);
    std::vector<std::string> columns;
    std::ranges::transform(names, std::back_inserter(columns),
                           [this](const std::string& name) { return column_of_row(name); });
    return columns;
  }

  const EvidenceSource& m_source;
  const Dialect& m_dialect;
  StatementWriter m_writer;
};

}  // namespace

bool is_found_by_index(const TableInfo& table, const EvidenceSource& source) {
  return std::ranges::any_of(table.indexes, [&](const std::vector<std::string>& index) {
    return !index.empty() &&
           std::ranges::any_of(source.match, [&](const auto& pair) { return pair.first == index.front(); });
  });
}

std::string evidence_order(const StatementWriter& writer, const EvidenceSource& source, std::string_view alias) {
  std::vector<std::string> terms;
  for (const std::string& name : evidence_order_columns(writer, source)) {
    // PostgreSQL keeps NULLs at the other end of a descending index: naming their place would cost a sort.
    const bool nulls = !writer.column(source.table, name).not_null;
    terms.push_back(
        fmt::format("{}{}{}", writer.qualified(alias, name), source.newest ? " DESC" : "", nulls ? " NULLS LAST" : ""));
  }
  return join(terms, ", ");
}

std::vector<std::string> evidence_order_columns(const StatementWriter& writer, const EvidenceSource& source) {
  const TableInfo& table = writer.table(source.table);
  std::vector<std::string> columns{writer.column(source.table, source.order_by).name};
  const std::vector<std::string> row_key = table.row_key();
  const bool unique = row_key == columns;
  for (const std::string& name : row_key) {
    if (!unique && name != columns.front()) {
      columns.push_back(name);
    }
  }
  return columns;
}

EvidenceStatement render_evidence(const Profile& profile, const Schema& schema, const Dialect& dialect,
                                  const EvidenceSource& source, std::span<const TaskKey> keys) {
  return EvidenceRenderer{profile, schema, dialect, source}.render(keys);
}

std::size_t evidence_keys_per_statement(const Schema& schema, const Dialect& dialect, const EvidenceSource& source,
                                        std::size_t all) {
  constexpr std::size_t k_by_index = 500;
  const TableInfo* table = source.table.empty() ? nullptr : schema.find(source.table);
  if (table == nullptr) {
    return std::min(all, k_by_index);
  }
  if (!is_found_by_index(*table, source)) {
    return all;
  }
  return dialect.engine() == Engine::sqlite ? 1 : std::min(all, k_by_index);
}

}  // namespace taskctl
