#include "sql/render_guard.hpp"

#include <algorithm>
#include <array>
#include <regex>

#include <fmt/format.h>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "sql/column_type.hpp"
#include "sql/statement_writer.hpp"
#include "sql/statements.hpp"
#include "sql/template.hpp"

namespace taskctl {

namespace {

constexpr std::string_view k_mark = "taskctl guard ";
constexpr std::size_t k_hash_length = 16;
constexpr std::array k_kind_names{"table", "function", "class", "check", "trigger"};

constexpr std::string_view k_finished_text = "a finished time is set while the task is queued or active";
constexpr std::string_view k_terminal_text = "a task that is over gets another status";
constexpr std::string_view k_missing_text = "a task is over without a finished time";

using Classes = std::initializer_list<TaskClass>;
constexpr Classes k_not_over{TaskClass::queued, TaskClass::active};
constexpr Classes k_over{TaskClass::succeeded, TaskClass::failed, TaskClass::cancelled};
constexpr Classes k_not_after_over{TaskClass::active, TaskClass::succeeded, TaskClass::failed, TaskClass::cancelled};

/// PostgreSQL has several guarded tables in one schema under the same names; SQLite's trigger names are the database's.
std::string object_text(const Dialect& dialect, const TableName& table, const std::string& journal_schema,
                        GuardKind kind, const std::string& name) {
  const std::string quoted = dialect.identifier(name);
  if (dialect.engine() == Engine::sqlite) {
    return fmt::format("{} main.{}", kind == GuardKind::table ? "TABLE" : "TRIGGER", quoted);
  }
  const std::string in_schema = dialect.identifier(journal_schema) + "." + quoted;
  switch (kind) {
    case GuardKind::table:
      return "TABLE " + in_schema;
    case GuardKind::function:
      return fmt::format("FUNCTION {}()", in_schema);
    case GuardKind::row_class:
      return fmt::format("FUNCTION {}({})", in_schema, dialect.table(table));
    case GuardKind::check:
      return fmt::format("CONSTRAINT {} ON {}", quoted, dialect.table(table));
    case GuardKind::trigger:
      break;
  }
  return fmt::format("TRIGGER {} ON {}", quoted, dialect.table(table));
}

class GuardRenderer {
 public:
  GuardRenderer(const Profile& profile, const Schema& schema, const Dialect& dialect, GuardMode mode,
                const std::string& journal_schema)
      : m_profile{profile},
        m_schema{schema},
        m_dialect{dialect},
        m_statements{dialect.statements()},
        m_journal_schema{journal_schema},
        m_table{StatementWriter{profile, schema, dialect}.task_table()},
        m_conditional{
            std::ranges::any_of(profile.classes, [](const ClassRule& rule) { return rule.when.has_value(); })} {
    m_result.mode = mode;
    require_suitable();
    if (profile.times.finished.kind == Attribute::Kind::column) {
      m_finished = column_name(profile.times.finished.column);
    }
    m_status = column_name(profile.status.column);
  }

  GuardDefinition run() {
    add_shared();
    if (m_finished.empty()) {
      m_result.left_out.emplace_back("finished: the profile names no column of the task for the finished time");
    } else {
      add_finished();
    }
    add_rule("terminal", k_terminal_text, "");
    add_trigger(
        "terminal", k_terminal_text, "update",
        fmt::format("{} AND {} AND {}", differs(m_status), is_class("OLD", k_over), is_class("NEW", k_not_after_over)));
    if (!m_profile.enabled_rules.contains(Rule::missing_finished_time)) {
      m_result.left_out.emplace_back("missing: the profile does not enable missing-finished-time");
    } else if (!m_finished.empty()) {
      add_missing();
    }
    return std::move(m_result);
  }

 private:
  void require_suitable() {
    if (m_table.is_view) {
      throw Error{ExitCode::mismatch,
                  fmt::format("'{}' is a view: only a table can be guarded", m_table.name.display()),
                  "Name the table behind it in a profile of your own."};
    }
    if (m_profile.status.kind != Attribute::Kind::column) {
      throw Error{ExitCode::mismatch,
                  fmt::format("profile '{}' has no status column: there is nothing to guard", m_profile.name)};
    }
    static const std::regex k_query{R"(\bselect\b)", std::regex::icase};
    if (m_conditional && std::regex_search(writer("t").class_code_case(), k_query)) {
      throw Error{ExitCode::mismatch,
                  fmt::format("a class of profile '{}' looks into other tables, which a guard on '{}' cannot watch",
                              m_profile.name, m_table.name.display())};
    }
  }

  [[nodiscard]] std::string column_name(const std::string& name) const {
    return StatementWriter{m_profile, m_schema, m_dialect}.column(m_profile.table, name).name;
  }

  [[nodiscard]] StatementWriter writer(const std::string& alias) const {
    return StatementWriter{m_profile, m_schema, m_dialect, {.alias = alias}};
  }

  [[nodiscard]] bool postgres() const { return m_dialect.engine() == Engine::postgres; }
  [[nodiscard]] std::string bare_table() const { return m_dialect.identifier(m_table.name.name); }
  [[nodiscard]] std::string of(std::string_view alias, const std::string& column) const {
    return fmt::format("{}.{}", alias, m_dialect.identifier(column));
  }
  [[nodiscard]] std::string differs(const std::string& column) const {
    return fmt::format("{} {} {}", of("OLD", column), postgres() ? "IS DISTINCT FROM" : "IS NOT", of("NEW", column));
  }

  /// The row `alias` is of one of these classes. Conditions of a profile name columns bare, so they need a scope in
  /// which the row's columns are the only ones.
  [[nodiscard]] std::string is_class(const std::string& alias, Classes classes) const {
    const bool one_vocabulary = m_profile.classes.size() == 1 && !m_conditional;
    if (one_vocabulary) {
      return any_of(writer(alias).class_conditions(classes));
    }
    std::vector<std::string> codes;
    for (const TaskClass task_class : classes) {
      codes.push_back(fmt::format("{}", static_cast<int>(task_class)));
    }
    return fmt::format("{}{} IN ({})", first_look(alias, classes), class_code(alias), join(codes, ", "));
  }

  /// Conditions cost a call or a subquery, and most updates are of rows whose plain status rules the classes out.
  [[nodiscard]] std::string first_look(const std::string& alias, Classes classes) const {
    const bool decided_by_condition = std::ranges::any_of(m_profile.classes, [&](const ClassRule& rule) {
      return rule.when && std::ranges::find(classes, rule.task_class) != classes.end();
    });
    return !m_conditional || decided_by_condition
               ? std::string{}
               : fmt::format("{} AND ", any_of(writer(alias).class_conditions(classes)));
  }

  [[nodiscard]] std::string class_code(const std::string& alias) const {
    const bool in_trigger = alias == "NEW" || alias == "OLD";
    if (!m_conditional || !in_trigger) {
      return "(" + writer(alias).class_code_case() + ")";
    }
    if (postgres()) {
      return fmt::format("{}.taskctl_guard_class({}.*)", m_dialect.identifier(m_journal_schema), alias);
    }
    std::vector<std::string> columns;
    for (const ColumnInfo& column : m_table.columns) {
      columns.push_back(fmt::format("{} AS {}", of(alias, column.name), m_dialect.identifier(column.name)));
    }
    return fmt::format("(SELECT {} FROM (SELECT {}) t)", writer("t").class_code_case(), join(columns, ", "));
  }

  /// Applications write '' as well as NULL where a text says when.
  [[nodiscard]] std::string has_time(const std::string& alias) const {
    const std::string expression = of(alias, m_finished);
    const ColumnInfo* column = m_table.find(m_finished);
    const bool text = !postgres() || postgres_family(column->type) == TypeFamily::text;
    return text ? fmt::format("coalesce({}, '') <> ''", expression) : expression + " IS NOT NULL";
  }

  [[nodiscard]] std::string off() const {
    return postgres() ? "coalesce(current_setting('taskctl.guard_off', true), '') = 'on'"
                      : "EXISTS (SELECT 1 FROM taskctl_guard_state)";
  }

  /// Columns that decide; a row that was wrong before is not held against an update of other columns.
  [[nodiscard]] std::vector<std::string> deciding() const {
    std::vector<std::string> columns{m_status};
    const auto add = [&columns](const std::string& name) {
      if (!name.empty() && std::ranges::find(columns, name) == columns.end()) {
        columns.push_back(name);
      }
    };
    add(m_finished);
    for (const ClassRule& rule : m_profile.classes) {
      if (!rule.when) {
        add(column_name(rule.column));
      }
    }
    return columns;
  }

  void add_rule(std::string_view name, std::string_view text, const std::string& wrong) {
    std::string count;
    if (!wrong.empty()) {
      count = fill_template(m_statements.guard_count, {{"table", m_dialect.table(m_table.name)}, {"condition", wrong}});
    }
    m_result.rules.push_back({std::string{name}, std::string{text}, std::move(count)});
  }

  void add_finished() {
    const auto wrong = [&](const std::string& alias) {
      return fmt::format("{} AND {}", has_time(alias), is_class(alias, k_not_over));
    };
    add_rule("finished", k_finished_text, wrong(bare_table()));
    if (postgres() && m_result.mode == GuardMode::reject) {
      add_check("taskctl_guard_finished", fmt::format("({}) IS NOT TRUE OR {}", wrong(bare_table()), off()));
    } else {
      add_row_rule("finished", k_finished_text, wrong("NEW"));
    }
  }

  void add_missing() {
    const auto wrong = [&](const std::string& alias) {
      return fmt::format("NOT ({}) AND {}", has_time(alias), is_class(alias, k_over));
    };
    add_rule("missing", k_missing_text, wrong(bare_table()));
    add_row_rule("missing", k_missing_text, wrong("NEW"));
  }

  void add_row_rule(std::string_view rule, std::string_view text, const std::string& wrong) {
    std::vector<std::string> changes;
    for (const std::string& column : deciding()) {
      changes.push_back(differs(column));
    }
    add_trigger(rule, text, "insert", wrong);
    add_trigger(rule, text, "update", m_conditional ? wrong : fmt::format("{} AND {}", wrong, any_of(changes)));
  }

  /// What several tables share.
  void add_shared() {
    const std::string schema = m_dialect.identifier(m_journal_schema);
    const auto filled = [&](std::string_view statement) { return fill_template(statement, {{"schema", schema}}); };
    const bool log = m_result.mode == GuardMode::log;
    if (log) {
      GuardObject table{.kind = GuardKind::table, .name = "taskctl_guard_log", .mark = "", .create = {}};
      table.create.push_back(filled(m_statements.guard_create_log));
      if (postgres()) {
        table.create.push_back(filled(m_statements.guard_revoke_log));
      }
      m_result.objects.push_back(std::move(table));
    }
    if (!postgres()) {
      m_result.objects.push_back(
          {GuardKind::table, "taskctl_guard_state", "", {filled(m_statements.guard_create_state)}});
      return;
    }
    add_marked(GuardKind::function, log ? "taskctl_guard_record" : "taskctl_guard_reject",
               filled(log ? m_statements.guard_create_record : m_statements.guard_create_reject), "shared");
    if (m_conditional) {
      const std::string body = fmt::format("SELECT {} FROM (SELECT (taskctl_row).*) t", writer("t").class_code_case());
      add_marked(GuardKind::row_class, "taskctl_guard_class",
                 fill_template(
                     m_statements.guard_create_class,
                     {{"schema", schema}, {"table", m_dialect.table(m_table.name)}, {"body", m_dialect.literal(body)}}),
                 "shared");
    }
  }

  void add_check(const std::string& name, const std::string& condition) {
    add_marked(GuardKind::check, name,
               fill_template(m_statements.guard_create_check, {{"table", m_dialect.table(m_table.name)},
                                                               {"name", m_dialect.identifier(name)},
                                                               {"condition", condition}}),
               to_string(m_result.mode));
  }

  void add_trigger(std::string_view rule, std::string_view text, std::string_view event, const std::string& wrong) {
    std::string name = fmt::format("taskctl_guard_{}_{}", rule, event);
    if (!postgres()) {
      name += "_" + m_table.name.name;
    }
    const std::string condition =
        postgres() ? fmt::format("({}) AND NOT {}", wrong, off()) : fmt::format("(({}) AND NOT {})", wrong, off());
    const std::string action = postgres() ? call(rule, text) : sqlite_action(name, rule, text, event);
    const std::string when = event_clause(rule, event);
    const std::string mark = make_mark(condition + action + when, to_string(m_result.mode));
    const std::string sql = fill_template(m_statements.guard_create_trigger,
                                          {{"name", m_dialect.identifier(name)},
                                           {"event", when},
                                           {"table", postgres() ? m_dialect.table(m_table.name) : bare_table()},
                                           {"condition", condition},
                                           {"action", action},
                                           {"mark", mark}});
    GuardObject trigger{.kind = GuardKind::trigger, .name = name, .mark = mark, .create = {sql}};
    leave_mark(trigger);
    m_result.objects.push_back(std::move(trigger));
  }

  /// SQLite looks at the SET list before it looks at a row.
  [[nodiscard]] std::string event_clause(std::string_view rule, std::string_view event) const {
    if (event == "insert") {
      return "INSERT";
    }
    if (postgres() || m_conditional) {
      return "UPDATE";
    }
    if (rule == "terminal" && m_profile.classes.size() == 1) {
      return "UPDATE OF " + m_dialect.identifier(m_status);
    }
    std::vector<std::string> columns;
    for (const std::string& column : deciding()) {
      columns.push_back(m_dialect.identifier(column));
    }
    return "UPDATE OF " + join(columns, ", ");
  }

  [[nodiscard]] std::string call(std::string_view rule, std::string_view text) const {
    std::vector<std::string> arguments;
    const auto add = [&](std::string_view argument) { arguments.push_back(m_dialect.literal(argument)); };
    add(rule);
    add(text);
    add(m_status);
    add(m_finished);
    for (const std::string& key : m_profile.key) {
      add(column_name(key));
    }
    return fmt::format("{}.{}({})", m_dialect.identifier(m_journal_schema),
                       m_result.mode == GuardMode::log ? "taskctl_guard_record" : "taskctl_guard_reject",
                       join(arguments, ", "));
  }

  [[nodiscard]] std::string sqlite_action(const std::string& name, std::string_view rule, std::string_view text,
                                          std::string_view event) const {
    if (m_result.mode == GuardMode::reject) {
      return fmt::format("SELECT RAISE(ABORT, {})", m_dialect.literal(fmt::format("{}: {}", name, text)));
    }
    std::vector<std::string> parts;
    for (const std::string& key : m_profile.key) {
      parts.push_back(m_dialect.as_text(of("NEW", column_name(key))));
    }
    const auto value = [&](std::string_view alias, const std::string& column) {
      return column.empty() || (alias == "OLD" && event == "insert") ? std::string{"NULL"} : of(alias, column);
    };
    return fmt::format(
        "INSERT INTO taskctl_guard_log (rule, table_name, task, operation, old_status, new_status, old_finished, "
        "new_finished) VALUES ({}, {}, {}, '{}', {}, {}, {}, {})",
        m_dialect.literal(rule), m_dialect.literal(m_table.name.name),
        parts.size() == 1 ? parts.front() : fmt::format("json_array({})", join(parts, ", ")), event,
        value("OLD", m_status), value("NEW", m_status), value("OLD", m_finished), value("NEW", m_finished));
  }

  static std::string make_mark(std::string_view definition, std::string_view mode) {
    return fmt::format("{}{} {}", k_mark, mode, sha256(definition).substr(0, k_hash_length));
  }

  void add_marked(GuardKind kind, const std::string& name, std::string sql, std::string_view mode) {
    GuardObject object{.kind = kind, .name = name, .mark = make_mark(sql, mode), .create = {std::move(sql)}};
    leave_mark(object);
    m_result.objects.push_back(std::move(object));
  }

  void leave_mark(GuardObject& object) const {
    if (postgres()) {
      object.create.push_back(
          fill_template(m_statements.guard_mark,
                        {{"object", object_text(m_dialect, m_table.name, m_journal_schema, object.kind, object.name)},
                         {"mark", m_dialect.literal(object.mark)}}));
    }
  }

  const Profile& m_profile;
  const Schema& m_schema;
  const Dialect& m_dialect;
  const Statements& m_statements;
  const std::string& m_journal_schema;
  const TableInfo& m_table;
  bool m_conditional;      ///< some class is a condition, not a vocabulary
  std::string m_finished;  ///< empty: no column
  std::string m_status;
  GuardDefinition m_result;
};

}  // namespace

std::string_view to_string(GuardMode mode) {
  return mode == GuardMode::reject ? "reject" : "log";
}

std::optional<GuardMode> parse_guard_mode(std::string_view text) {
  for (const GuardMode mode : {GuardMode::reject, GuardMode::log}) {
    if (to_string(mode) == text) {
      return mode;
    }
  }
  return std::nullopt;
}

std::string_view to_string(GuardKind kind) {
  return k_kind_names.at(static_cast<std::size_t>(kind));
}

std::optional<GuardKind> parse_guard_kind(std::string_view text) {
  const auto* const found = std::ranges::find(k_kind_names, text);
  return found == k_kind_names.end() ? std::nullopt
                                     : std::optional{static_cast<GuardKind>(found - k_kind_names.begin())};
}

GuardDefinition render_guard(const Profile& profile, const Schema& schema, const Dialect& dialect, GuardMode mode,
                             const std::string& journal_schema) {
  return GuardRenderer{profile, schema, dialect, mode, journal_schema}.run();
}

std::string render_guard_drop(const Dialect& dialect, const TableName& table, const std::string& journal_schema,
                              GuardKind kind, const std::string& name) {
  if (kind == GuardKind::check) {
    return fill_template(dialect.statements().guard_drop_check,
                         {{"table", dialect.table(table)}, {"name", dialect.identifier(name)}});
  }
  return fill_template(dialect.statements().guard_drop,
                       {{"object", object_text(dialect, table, journal_schema, kind, name)}});
}

std::string render_guard_validate(const Dialect& dialect, const TableName& table, const std::string& name) {
  return fill_template(dialect.statements().guard_validate,
                       {{"table", dialect.table(table)}, {"name", dialect.identifier(name)}});
}

std::string find_guard_mark(std::string_view text) {
  const std::size_t at = text.find(k_mark);
  if (at == std::string_view::npos) {
    return {};
  }
  const std::size_t space = text.find(' ', at + k_mark.size());
  return space == std::string_view::npos ? std::string{} : std::string{text.substr(at, space + 1 + k_hash_length - at)};
}

}  // namespace taskctl
