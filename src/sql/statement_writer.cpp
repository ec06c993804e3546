#include "sql/statement_writer.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "sql/array_literal.hpp"
#include "sql/column_type.hpp"

namespace taskctl {

namespace {

constexpr std::string_view k_check_hint = "Run 'taskctl profile check' to see how the profile fits the database.";

/// What an expression for a time gives, as its encoding says; "" for everything that is read as it prints.
std::string_view expression_type(const Attribute& attribute) {
  switch (attribute.encoding->read.front().format) {
    case TimeFormat::timestamptz:
      return "timestamp with time zone";
    case TimeFormat::naive:
      return "timestamp without time zone";
    default:
      return "";
  }
}

/// PostgreSQL refuses to compare an enum with a text that is none of its labels.
bool can_occur(const StatusValue& value, const ColumnInfo& column) {
  return column.labels.empty() || std::ranges::find(column.labels, value.text) != column.labels.end();
}

}  // namespace

std::string any_of(const std::vector<std::string>& conditions) {
  return conditions.empty() ? "1 = 0" : "(" + join(conditions, " OR ") + ")";
}

std::string StatementWriter::bind(Value value, std::string_view type) {
  m_parameters.push_back(std::move(value));
  return m_dialect.parameter(m_parameters.size(), type);
}

const TableInfo& StatementWriter::table(const std::string& name_in_profile) const {
  const TableInfo* found = m_schema.find(name_in_profile);
  if (found == nullptr) {
    throw Error{ExitCode::mismatch, fmt::format("there is no table '{}'", name_in_profile), std::string{k_check_hint}};
  }
  return *found;
}

const ColumnInfo& StatementWriter::column(const std::string& name_in_profile, const std::string& name) const {
  const ColumnInfo* found = table(name_in_profile).find(name);
  if (found == nullptr) {
    throw Error{ExitCode::mismatch, fmt::format("table '{}' has no column '{}'", name_in_profile, name),
                std::string{k_check_hint}};
  }
  return *found;
}

std::string StatementWriter::qualified(std::string_view alias, std::string_view name) const {
  return fmt::format("{}.{}", alias, m_dialect.identifier(name));
}

std::string StatementWriter::task_column(const std::string& name) const {
  return qualified(m_scope.alias, m_scope.prefix + column(m_profile.table, name).name);
}

std::string StatementWriter::lookup(const Attribute& attribute, const Wrap& wrap) const {
  const TableInfo& joined = table(attribute.table);
  const std::string value = wrap(qualified("j", attribute.value), column(attribute.table, attribute.value).type);
  std::string order;
  if (!attribute.order_by.empty()) {
    order = fmt::format(" ORDER BY {}{} NULLS LAST", qualified("j", column(attribute.table, attribute.order_by).name),
                        attribute.newest ? " DESC" : "");
  }
  return fmt::format("(SELECT {} FROM {} j WHERE {}{} LIMIT 1)", value, m_dialect.table(joined.name),
                     match(attribute.table, "j", attribute.match), order);
}

std::string StatementWriter::attribute(const Attribute& attribute, const Wrap& wrap) const {
  switch (attribute.kind) {
    case Attribute::Kind::column:
      return wrap(task_column(attribute.column), column(m_profile.table, attribute.column).type);
    case Attribute::Kind::lookup:
      return lookup(attribute, wrap);
    case Attribute::Kind::sql:
      return wrap(fragment(*attribute.sql), "");
    case Attribute::Kind::none:
      break;
  }
  return "NULL";
}

std::string StatementWriter::raw(const Attribute& source) const {
  return attribute(source, [](const std::string& expression, const std::string&) { return expression; });
}

std::string StatementWriter::text(const Attribute& source) const {
  return attribute(source,
                   [this](const std::string& expression, const std::string&) { return m_dialect.as_text(expression); });
}

std::string StatementWriter::time(const Attribute& source) const {
  if (source.kind == Attribute::Kind::sql && m_dialect.engine() == Engine::postgres) {
    // The value is named several times; OFFSET keeps the expression from being worked out as often.
    return fmt::format("(SELECT {} FROM (SELECT {} AS x__time OFFSET 0) x)",
                       m_dialect.as_time("x.x__time", expression_type(source)), raw(source));
  }
  return attribute(source, [&](const std::string& expression, const std::string& type) {
    return m_dialect.as_time(expression, type);
  });
}

std::string StatementWriter::fragment(const Fragment& source) const {
  return fragment(source, [](const std::string&) { return std::string{}; });
}

std::string StatementWriter::fragment(const Fragment& source,
                                      const std::function<std::string(const std::string&)>& extra) const {
  constexpr std::string_view k_task = "task.";
  return "(" + source.render([&](const std::string& name) -> std::string {
    if (name.starts_with(k_task)) {
      return task_column(name.substr(k_task.size()));
    }
    // The worker's own expression cannot stand for itself.
    if (name == "worker" && !(m_profile.worker.sql && &source == &*m_profile.worker.sql)) {
      return m_scope.worker.empty() ? raw(m_profile.worker) : m_scope.worker;
    }
    std::string known = extra(name);
    if (known.empty()) {
      throw Error{ExitCode::usage, fmt::format("{}: ':{}' has no meaning here", source.where().display(), name),
                  "':now' is known in 'set' of an operation, ':reason' in operations."};
    }
    return known;
  }) + ")";
}

bool StatementWriter::comparable(const std::string& type_a, const std::string& type_b) const {
  const TypeFamily family = postgres_family(type_a);
  return m_dialect.engine() == Engine::sqlite || (type_a == type_b && !type_a.empty()) ||
         (family != TypeFamily::other && family == postgres_family(type_b));
}

std::string StatementWriter::equal(const std::string& a, const std::string& type_a, const std::string& b,
                                   const std::string& type_b) const {
  return comparable(type_a, type_b) ? fmt::format("{} = {}", a, b)
                                    : fmt::format("{} = {}", m_dialect.as_text(a), m_dialect.as_text(b));
}

std::string StatementWriter::match(const std::string& table_name, std::string_view alias, const Match& pairs) const {
  std::vector<std::string> conditions;
  for (const auto& [joined, task] : pairs) {
    conditions.push_back(equal(qualified(alias, joined), column(table_name, joined).type, task_column(task),
                               column(m_profile.table, task).type));
  }
  return join(conditions, " AND ");
}

std::string StatementWriter::is_worker(const std::string& expression, const std::string& type) const {
  std::string worker_type;
  const std::string worker = attribute(m_profile.worker, [&](const std::string& value, const std::string& value_type) {
    worker_type = value_type;
    return value;
  });
  return equal(expression, type, worker, worker_type);
}

std::string StatementWriter::key_expression(std::string_view alias, const ColumnInfo& key) const {
  const std::string name = qualified(alias, key.name);
  const bool as_text = m_dialect.engine() == Engine::postgres && postgres_family(key.type) == TypeFamily::other;
  return as_text ? m_dialect.as_text(name) : name;
}

std::string StatementWriter::key_parameter_type(const ColumnInfo& key) const {
  switch (postgres_family(key.type)) {
    case TypeFamily::integer:
    case TypeFamily::uuid:
      return key.type;
    case TypeFamily::text:
      return key.type.starts_with("character(") ? "bpchar" : "text";
    case TypeFamily::other:
      break;
  }
  return "text";
}

std::vector<std::vector<Value>> StatementWriter::key_rows(std::span<const TaskKey> keys) const {
  std::vector<std::vector<Value>> rows;
  for (const TaskKey& key : keys) {
    if (key.parts.size() != m_profile.key.size()) {
      continue;
    }
    std::vector<std::vector<Value>> variants{{}};
    for (std::size_t i = 0; i < key.parts.size(); ++i) {
      std::vector<std::vector<Value>> longer;
      for (const Value& value :
           key_values(m_dialect.engine(), column(m_profile.table, m_profile.key[i]), key.parts[i])) {
        for (std::vector<Value> row : variants) {
          row.push_back(value);
          longer.push_back(std::move(row));
        }
      }
      variants = std::move(longer);
    }
    std::ranges::move(variants, std::back_inserter(rows));
  }
  return rows;
}

std::string StatementWriter::key_in(std::span<const TaskKey> keys) {
  std::vector<std::string> rows;
  const bool composite = m_profile.key.size() > 1;
  for (std::vector<Value>& values : key_rows(keys)) {
    std::vector<std::string> parameters;
    for (std::size_t i = 0; i < values.size(); ++i) {
      parameters.push_back(bind(std::move(values[i]), key_parameter_type(column(m_profile.table, m_profile.key[i]))));
    }
    rows.push_back(composite ? "(" + join(parameters, ", ") + ")" : parameters.front());
  }
  if (rows.empty()) {
    return "1 = 0";
  }
  std::vector<std::string> columns;
  for (const std::string& name : m_profile.key) {
    columns.push_back(key_expression(m_scope.alias, column(m_profile.table, name)));
  }
  return composite ? fmt::format("({}) IN (VALUES {})", join(columns, ", "), join(rows, ", "))
                   : fmt::format("{} IN ({})", columns.front(), join(rows, ", "));
}

/// PostgreSQL gives an untyped literal the column's type. SQLite converts by the column's affinity, but not in a
/// trigger, where NEW.column has none: the literal is written as the column stores it.
std::string StatementWriter::status_literal(const StatusValue& value, const ColumnInfo& column) const {
  if (m_dialect.engine() == Engine::postgres) {
    return m_dialect.literal(value.text);
  }
  const Affinity affinity = affinity_of(column.type);
  const bool number = affinity == Affinity::none
                          ? value.is_number
                          : !std::holds_alternative<std::string>(apply_affinity(Value{value.text}, affinity));
  return number ? value.text : m_dialect.literal(value.text);
}

std::string StatementWriter::vocabulary(const ClassRule& rule, const std::function<bool(TaskClass)>& wanted) const {
  const ColumnInfo& status = column(m_profile.table, rule.column);
  std::vector<std::string> literals;
  std::vector<Value> values;
  for (const StatusValue& value : rule.values) {
    if (wanted(value.task_class) && can_occur(value, status)) {
      literals.push_back(status_literal(value, status));
      values.emplace_back(value.text);
    }
  }
  std::vector<std::string> conditions;
  if (m_scope.one_constant && values.size() > 1) {
    conditions.push_back(
        fmt::format("{} = ANY ({})", task_column(rule.column), m_dialect.literal(array_literal(values))));
  } else if (!literals.empty()) {
    conditions.push_back(fmt::format("{} IN ({})", task_column(rule.column), join(literals, ", ")));
  }
  if (rule.null_is && wanted(*rule.null_is)) {
    conditions.push_back(fmt::format("{} IS NULL", task_column(rule.column)));
  }
  return conditions.empty() ? std::string{} : join(conditions, " OR ");
}

std::vector<std::string> StatementWriter::class_conditions(std::initializer_list<TaskClass> classes) const {
  const auto wanted = [&](TaskClass task_class) { return std::ranges::find(classes, task_class) != classes.end(); };
  std::vector<std::string> conditions;
  for (const ClassRule& rule : m_profile.classes) {
    std::string condition;
    if (!rule.when) {
      condition = vocabulary(rule, wanted);
    } else if (wanted(rule.task_class)) {
      condition = fragment(*rule.when);
    }
    if (!condition.empty()) {
      conditions.push_back(std::move(condition));
    }
  }
  return conditions;
}

std::string StatementWriter::class_is(std::initializer_list<TaskClass> classes) const {
  const auto wanted = [&](TaskClass task_class) { return std::ranges::find(classes, task_class) != classes.end(); };
  // IS NOT TRUE is too young for the SQLite of some applications, whose triggers it may stand in.
  const std::string_view unless =
      m_dialect.engine() == Engine::postgres ? "{} AND ({}) IS NOT TRUE" : "{} AND NOT coalesce(({}), 0)";
  std::vector<std::string> conditions;
  std::vector<std::string> earlier;
  for (const ClassRule& rule : m_profile.classes) {
    std::string whole = rule.when ? fragment(*rule.when) : vocabulary(rule, [](TaskClass) { return true; });
    std::string condition = !rule.when ? vocabulary(rule, wanted) : wanted(rule.task_class) ? whole : std::string{};
    if (!condition.empty()) {
      condition = earlier.empty() ? condition : "(" + condition + ")";
      for (const std::string& other : earlier) {
        condition = fmt::format(fmt::runtime(unless), condition, other);
      }
      conditions.push_back(std::move(condition));
    }
    if (!whole.empty()) {
      earlier.push_back(std::move(whole));
    }
  }
  return any_of(conditions);
}

std::string StatementWriter::class_rule_case() const {
  return class_case([](std::size_t rule, TaskClass) { return rule; });
}

std::string StatementWriter::class_code_case() const {
  return class_case([](std::size_t, TaskClass task_class) { return static_cast<std::size_t>(task_class); });
}

/// The first entry that fits decides. A vocabulary is compared value by value: for a list SQLite would build an index.
std::string StatementWriter::class_case(
    const std::function<std::size_t(std::size_t rule, TaskClass task_class)>& code) const {
  std::string result = "NULL";
  for (std::size_t i = m_profile.classes.size(); i-- > 0;) {
    const ClassRule& rule = m_profile.classes[i];
    if (rule.when) {
      result = fmt::format("CASE WHEN {} THEN {} ELSE {} END", fragment(*rule.when), code(i, rule.task_class), result);
      continue;
    }
    const std::string status = task_column(rule.column);
    std::string values;
    const ColumnInfo& info = column(m_profile.table, rule.column);
    for (const StatusValue& value : rule.values) {
      if (can_occur(value, info)) {
        values += fmt::format(" WHEN {} THEN {}", status_literal(value, info), code(i, value.task_class));
      }
    }
    if (!values.empty()) {
      result = fmt::format("CASE {}{} ELSE {} END", status, values, result);
    }
    if (rule.null_is) {
      result = fmt::format("CASE WHEN {} IS NULL THEN {} ELSE {} END", status, code(i, *rule.null_is), result);
    }
  }
  return result;
}

}  // namespace taskctl
