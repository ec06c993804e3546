#include "store/catalog.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "model/string_array.hpp"
#include "sql/column_type.hpp"
#include "sql/dialect.hpp"
#include "sql/rights.hpp"
#include "sql/statements.hpp"
#include "store/row_values.hpp"

namespace taskctl {

namespace {

std::string required_text(const Value& value) {
  return text_of(value).value_or("");
}

/// "schema.name" or "name"; SQLite's only schema here is main.
std::optional<TableName> split_name(const std::string& name, Engine engine) {
  const std::size_t dot = name.find('.');
  if (dot == std::string::npos) {
    return TableName{"", name};
  }
  if (engine == Engine::postgres) {
    return TableName{name.substr(0, dot), name.substr(dot + 1)};
  }
  return name.substr(0, dot) == "main" ? std::optional{TableName{"", name.substr(dot + 1)}} : std::nullopt;
}

void read_columns(Connection& connection, std::string_view sql, const std::string& name, TableInfo& table) {
  std::map<std::int64_t, std::string> primary_key;
  for (const Row& row : connection.query(sql, std::array{Value{name}})) {
    table.columns.push_back({.name = required_text(row[0]),
                             .type = required_text(row[1]),
                             .not_null = flag_of(row[2]),
                             .generated = flag_of(row[3]),
                             .identity_always = flag_of(row[4]),
                             .labels = parse_string_array(required_text(row[6])).value_or(std::vector<std::string>{}),
                             .can_select = flag_of(row[7]),
                             .can_update = flag_of(row[8]),
                             .can_insert = flag_of(row[9])});
    if (const std::int64_t position = integer_of(row[5]).value_or(0); position > 0) {
      primary_key[position] = table.columns.back().name;
    }
  }
  for (const auto& [position, column] : primary_key) {
    table.primary_key.push_back(column);
  }
}

struct Index {
  bool unique = false;
  bool has_expression = false;
  std::vector<std::string> columns;  ///< up to the first expression
};

void read_indexes(Connection& connection, std::string_view sql, const std::string& name, TableInfo& table) {
  std::map<std::string, Index> indexes;
  for (const Row& row : connection.query(sql, std::array{Value{name}})) {
    Index& index = indexes[required_text(row[0])];
    index.unique = flag_of(row[1]);
    index.has_expression = index.has_expression || is_null(row[2]);
    if (!index.has_expression) {
      index.columns.push_back(required_text(row[2]));
    }
  }
  for (auto& [index_name, index] : indexes) {
    if (index.unique && !index.has_expression) {
      table.unique_keys.push_back(index.columns);
    }
    if (!index.columns.empty()) {
      table.indexes.push_back(std::move(index.columns));
    }
  }
}

class FitCheck {
 public:
  FitCheck(const Profile& profile, const Schema& schema, Engine engine)
      : m_profile{profile}, m_schema{schema}, m_engine{engine} {}

  std::vector<SchemaProblem> run() {
    check_names();
    check_row_rules();
    check_written_tables();
    if (m_schema.find(m_profile.table) != nullptr) {
      check_key(*m_schema.find(m_profile.table));
    }
    if (m_engine == Engine::postgres) {
      for (const auto& [place, encoding] : m_profile.encodings) {
        check_encoding(place.first, place.second, encoding);
      }
      check_vocabularies();
    }
    return std::move(m_problems);
  }

 private:
  void add(const SourcePosition& where, std::string text) { add(where.display(), std::move(text)); }
  /// Several parts of a profile may stumble over the same thing.
  void add(const std::string& where, std::string text) {
    if (std::ranges::none_of(m_problems, [&](const SchemaProblem& problem) { return problem.text == text; })) {
      m_problems.push_back({where, std::move(text)});
    }
  }

  void check_names() {
    std::set<std::string> missing;
    if (m_schema.find(m_profile.table) == nullptr) {
      missing.insert(m_profile.table);
      add(m_profile.table, fmt::format("there is no table '{}'", m_profile.table));
    }
    for (const ColumnUse& use : m_profile.columns) {
      const TableInfo* table = m_schema.find(use.table);
      if (table == nullptr) {
        if (missing.insert(use.table).second) {
          add(use.where, fmt::format("there is no table '{}'", use.table));
        }
      } else if (table->find(use.column) == nullptr) {
        std::vector<std::string> names;
        std::ranges::transform(table->columns, std::back_inserter(names), &ColumnInfo::name);
        const std::string near = nearest(use.column, names);
        add(use.where, fmt::format("table '{}' has no column '{}'{}", use.table, use.column,
                                   near.empty() ? "" : fmt::format(" (it has '{}')", near)));
      }
    }
  }

  /// A table of which no column is named still has to be there, and its rows need names.
  void check_row_rules() {
    for (const RowRule& rule : m_profile.row_rules) {
      const TableInfo* table = m_schema.find(rule.table);
      if (table == nullptr) {
        add(rule.where, fmt::format("there is no table '{}'", rule.table));
      } else if (rule.key.empty() && table->row_key().empty()) {
        add(rule.where, fmt::format("table '{}' has neither a primary key nor a unique key without NULL", rule.table));
      } else if (rule.op && table->is_view) {
        add(rule.where, fmt::format("'{}' is a view: only tables can be repaired", rule.table));
      }
    }
  }

  void check_written_tables() {
    if (m_profile.safety == Safety::read_only) {
      return;
    }
    std::set<std::string> written{m_profile.table};
    const auto collect = [&](const OperationList& operations) {
      for (const OperationSpec& operation : operations) {
        written.insert(operation.table.empty() ? m_profile.table : operation.table);
      }
    };
    std::ranges::for_each(m_profile.outcomes, [&](const auto& entry) { collect(entry.second); });
    std::ranges::for_each(m_profile.rule_operations, [&](const auto& entry) { collect(entry.second); });
    for (const std::string& name : written) {
      const TableInfo* table = m_schema.find(name);
      if (table != nullptr && table->is_view) {
        add(name, fmt::format("'{}' is a view: only tables can be repaired", name));
      } else if (table != nullptr && name != m_profile.table && table->row_key().empty()) {
        add(name, fmt::format("table '{}' has neither a primary key nor a unique key without NULL", name));
      }
    }
  }

  void check_key(const TableInfo& table) {
    if (!table.is_view && !is_unique(table, m_profile.key) && !is_unique_in_partition(table, m_profile.key)) {
      add(m_profile.table,
          fmt::format("nothing makes the key ({}) of table '{}' unique: it needs a primary key or a unique index",
                      join(m_profile.key, ", "), m_profile.table));
    }
  }

  void check_encoding(const std::string& table_name, const std::string& column_name, const ColumnEncoding& encoding) {
    const TableInfo* table = m_schema.find(table_name);
    const ColumnInfo* column = table != nullptr ? table->find(column_name) : nullptr;
    if (column == nullptr) {
      return;
    }
    for (const TimeStyle& style : encoding.read) {
      if (!can_hold(column->type, style.format)) {
        add(position_of(table_name, column_name),
            fmt::format("column '{}.{}' is of type {}, which encoding '{}' cannot read", table_name, column_name,
                        column->type, style.name));
      }
    }
  }

  void check_vocabularies() {
    const TableInfo* table = m_schema.find(m_profile.table);
    for (const ClassRule& rule : m_profile.classes) {
      const ColumnInfo* column = table == nullptr || rule.when ? nullptr : table->find(rule.column);
      if (column == nullptr) {
        continue;
      }
      const std::string what =
          fmt::format("column '{}.{}' is of type {}, which ", m_profile.table, rule.column, column->type);
      const auto is_label = [&](const StatusValue& value) {
        return std::ranges::find(column->labels, value.text) != column->labels.end();
      };
      const auto alien = std::ranges::find_if(
          rule.values, [&](const StatusValue& value) { return !can_be_compared(*column, value.text); });
      if (alien != rule.values.end()) {
        add(rule.where, fmt::format("{}cannot be '{}'", what, alien->text));
      } else if (!column->labels.empty() && !rule.values.empty() && std::ranges::none_of(rule.values, is_label)) {
        add(rule.where, what + "has none of the values of the profile");
      }
    }
  }

  static bool can_hold(const std::string& type, TimeFormat format) {
    const auto begins = [&](std::initializer_list<std::string_view> names) {
      return !type.ends_with("]") &&
             std::ranges::any_of(names, [&](std::string_view n) { return type.starts_with(n); });
    };
    switch (format) {
      case TimeFormat::timestamptz:
        return begins({"timestamp"}) && type.ends_with("with time zone");
      case TimeFormat::naive:
        return (begins({"timestamp"}) && type.ends_with("without time zone")) || type == "date";
      case TimeFormat::text:
        return begins({"text", "character", "citext"});
      case TimeFormat::unix_s:
      case TimeFormat::unix_ms:
      case TimeFormat::unix_us:
      case TimeFormat::unix_ns:
      case TimeFormat::unix_float:
      case TimeFormat::julian_day:
        return begins({"smallint", "integer", "bigint", "numeric", "real", "double precision"});
    }
    return false;
  }

  [[nodiscard]] SourcePosition position_of(const std::string& table, const std::string& column) const {
    const auto found = std::ranges::find_if(
        m_profile.columns, [&](const ColumnUse& use) { return use.table == table && use.column == column; });
    return found == m_profile.columns.end() ? SourcePosition{.file = m_profile.file, .key = "times." + table}
                                            : found->where;
  }

  const Profile& m_profile;
  const Schema& m_schema;
  Engine m_engine;
  std::vector<SchemaProblem> m_problems;
};

/// How the statements about a table take its name.
std::string catalog_argument(const Dialect& dialect, const TableName& table) {
  return dialect.engine() == Engine::sqlite ? table.name : dialect.table(table);
}

std::optional<Row> find_table(Connection& connection, const std::string& name) {
  const Dialect dialect{connection.engine()};
  const std::optional<TableName> wanted = split_name(name, connection.engine());
  if (!wanted) {
    return std::nullopt;
  }
  std::vector<Row> found =
      connection.query(dialect.statements().find_table, std::array{Value{catalog_argument(dialect, *wanted)}});
  return found.empty() ? std::nullopt : std::optional{std::move(found.front())};
}

}  // namespace

bool has_table(Connection& connection, const std::string& name) {
  return find_table(connection, name).has_value();
}

TableInfo read_table(Connection& connection, const std::string& name) {
  const Statements& statements = Dialect{connection.engine()}.statements();
  TableInfo table;
  const std::optional<Row> found = find_table(connection, name);
  if (!found) {
    return table;
  }
  const Row& row = *found;
  table.name = {required_text(row[0]), required_text(row[1])};
  table.is_view = flag_of(row[2]);
  table.row_security = flag_of(row[3]);
  table.can_select = flag_of(row[4]);
  table.can_update = flag_of(row[5]);
  table.can_insert = flag_of(row[6]);
  table.can_delete = flag_of(row[7]);
  table.has_row_version = flag_of(row[8]);
  table.is_partitioned = flag_of(row[9]);
  const std::string resolved = catalog_argument(Dialect{connection.engine()}, table.name);
  read_columns(connection, statements.table_columns, resolved, table);
  read_indexes(connection, statements.table_indexes, resolved, table);
  for (const Row& trigger : connection.query(statements.table_triggers, std::array{Value{resolved}})) {
    table.triggers.push_back(required_text(trigger[0]));
  }
  return table;
}

Schema read_schema(Connection& connection, const Profile& profile) {
  const std::map<std::string, TableUse> uses = table_uses(profile);
  std::set<std::string> names{profile.table};
  for (const ColumnUse& use : profile.columns) {
    names.insert(use.table);
  }
  for (const RowRule& rule : profile.row_rules) {
    names.insert(rule.table);
  }
  if (profile.version && !profile.version->table.empty()) {
    names.insert(profile.version->table);
  }
  Schema schema;
  for (const std::string& name : names) {
    TableInfo table = read_table(connection, name);
    if (!table.columns.empty()) {
      if (const auto use = uses.find(name); use != uses.end()) {
        table.can_select = !missing_part(right_to_read(use->second, table), table);
      }
      schema.tables.emplace(name, std::move(table));
    }
  }
  if (connection.engine() == Engine::postgres) {
    for (const auto& [name, use] : uses) {
      const std::optional<Row> found = names.contains(name) ? std::nullopt : find_table(connection, name);
      if (found && flag_of((*found)[3])) {
        schema.veiled.push_back(TableName{required_text((*found)[0]), required_text((*found)[1])}.display());
      }
    }
  }
  return schema;
}

std::vector<SchemaProblem> check_schema(const Profile& profile, const Schema& schema, Engine engine) {
  return FitCheck{profile, schema, engine}.run();
}

void require_fit(const Profile& profile, const Schema& schema, Engine engine) {
  const std::vector<SchemaProblem> problems = check_schema(profile, schema, engine);
  if (problems.empty()) {
    return;
  }
  std::vector<std::string> lines;
  for (const SchemaProblem& problem : problems) {
    lines.push_back(fmt::format("{}: {}", problem.where, problem.text));
  }
  throw Error{ExitCode::mismatch,
              fmt::format("profile '{}' does not fit the database: {}", profile.name, join(lines, "; ")),
              "Run 'taskctl profile check' to see how the profile reads this database."};
}

std::vector<std::string> hidden_rows_warnings(const Schema& schema) {
  std::vector<std::string> warnings;
  for (const std::string& name : schema.with_hidden_rows()) {
    warnings.push_back(fmt::format("row-level security hides rows of '{}' from this role: there may be more", name));
  }
  return warnings;
}

void require_all_rows_visible(const Schema& schema, bool accepted) {
  const std::vector<std::string> hidden = schema.with_hidden_rows();
  if (!hidden.empty() && !accepted) {
    throw Error{ExitCode::access,
                fmt::format("row-level security may hide rows of '{}' from this role", join(hidden, "', '")),
                "Connect as a role with BYPASSRLS, or accept what is hidden with '--accept-hazard rls'."};
  }
}

}  // namespace taskctl
