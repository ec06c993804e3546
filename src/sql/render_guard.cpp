#include "sql/render_guard.hpp"

#include <algorithm>
#include <cctype>
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

constexpr std::string_view k_finished_text = "a finished time is set while the task is queued or active";
constexpr std::string_view k_terminal_text = "a task that is over gets another status";
constexpr std::string_view k_missing_text = "a task is over without a finished time";
constexpr std::string_view k_reject_hint =
    "taskctl guard status explains this rule; taskctl guard install --mode log records instead of rejecting.";

using Classes = std::initializer_list<TaskClass>;
constexpr Classes k_not_over{TaskClass::queued, TaskClass::active};
constexpr Classes k_over{TaskClass::succeeded, TaskClass::failed, TaskClass::cancelled};
constexpr Classes k_not_after_over{TaskClass::active, TaskClass::succeeded, TaskClass::failed, TaskClass::cancelled};

/// Does the name stand in the SQL as a word, in any case? Yes for names that are written with doubled quotes.
bool may_name(const std::string& sql, const std::string& column) {
  const auto is_word = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c >= 0x80; };
  const auto same = [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); };
  const auto length = static_cast<std::ptrdiff_t>(column.size());
  for (auto at = sql.begin(); at != sql.end(); ++at) {
    at = std::search(at, sql.end(), column.begin(), column.end(), same);
    if (at == sql.end()) {
      break;
    }
    const auto end = at + length;
    if ((at == sql.begin() || !is_word(static_cast<unsigned char>(*(at - 1)))) &&
        (end == sql.end() || !is_word(static_cast<unsigned char>(*end)))) {
      return true;
    }
  }
  return column.find('"') != std::string::npos;
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
    add_terminal();
    if (!m_profile.enabled_rules.contains(Rule::missing_finished_time)) {
      m_result.left_out.emplace_back("missing: the profile does not enable missing-finished-time");
    } else if (!m_finished.empty()) {
      add_missing();
    }
    if (postgres()) {
      add_function();
    }
    add_trigger("insert", m_on_insert);
    add_trigger("update", m_on_update);
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

  /// A rule about a row that is being written. PostgreSQL evaluates `quick` without planning a query: `exact`, which
  /// only conditions of a profile need, comes after it.
  struct Condition {
    std::string quick, exact;
    [[nodiscard]] std::string both() const { return exact.empty() ? quick : fmt::format("{} AND {}", quick, exact); }
  };
  struct RowRule {
    std::string name, text;
    Condition wrong;
  };

  /// The row `alias` is of one of these classes, as far as its plain columns say it: too large where the profile has
  /// conditions; empty when they say nothing.
  [[nodiscard]] std::string may_be(const std::string& alias, Classes classes) const {
    if (!m_conditional) {
      return writer(alias).class_is(classes);
    }
    const bool decided_by_condition = std::ranges::any_of(m_profile.classes, [&](const ClassRule& rule) {
      return rule.when && std::ranges::find(classes, rule.task_class) != classes.end();
    });
    return decided_by_condition ? "" : any_of(writer(alias).class_conditions(classes));
  }

  /// What remains to be asked of NEW or OLD then. Conditions of a profile name columns bare, so they need a scope in
  /// which the row's columns are the only ones.
  [[nodiscard]] std::string surely_is(const std::string& alias, Classes classes) const {
    if (!m_conditional) {
      return {};
    }
    std::vector<std::string> columns;
    for (const std::string& column : watched()) {
      columns.push_back(fmt::format("{} AS {}", of(alias, column), m_dialect.identifier(column)));
    }
    return fmt::format("(SELECT {} FROM (SELECT {}) t)", writer("t").class_is(classes), join(columns, ", "));
  }

  static std::string all_of(std::vector<std::string> conditions) {
    std::erase_if(conditions, [](const std::string& condition) { return condition.empty(); });
    return join(conditions, " AND ");
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

  /// What the constraint says, in as few nodes as possible: PostgreSQL parses it for every statement that writes the
  /// table, and this costs an UPDATE more than the triggers do.
  [[nodiscard]] std::string never(const std::string& condition, Classes classes) const {
    const StatementWriter brief{m_profile, m_schema, m_dialect, {.alias = bare_table(), .one_constant = true}};
    return fmt::format("NOT ({})", all_of({condition, brief.class_is(classes),
                                           "current_setting('taskctl.guard_off', true) IS DISTINCT FROM 'on'"}));
  }

  /// Columns that decide by themselves.
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

  /// Those, and every column whose name stands in a condition of the profile: an update that sets none of them costs
  /// nothing.
  [[nodiscard]] std::vector<std::string> watched() const {
    std::vector<std::string> columns = deciding();
    for (const ColumnInfo& column : m_table.columns) {
      const bool named = std::ranges::any_of(m_profile.classes, [&](const ClassRule& rule) {
        return rule.when && may_name(rule.when->sql(), column.name);
      });
      if (named && std::ranges::find(columns, column.name) == columns.end()) {
        columns.push_back(column.name);
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

  /// A row that was wrong before is not held against an update of other columns.
  void add_row_rule(std::string_view name, std::string_view text, const std::string& no, Classes classes) {
    const auto has = [&](const std::string& alias) {
      return no.empty() ? has_time(alias) : fmt::format("{}({})", no, has_time(alias));
    };
    const std::string wrong_in_table = all_of({has(bare_table()), writer(bare_table()).class_is(classes)});
    add_rule(name, text, wrong_in_table);
    if (postgres() && m_result.mode == GuardMode::reject && name == "finished") {
      add_check(never(has(bare_table()), classes));
      return;
    }
    std::vector<std::string> changes;
    for (const std::string& column : deciding()) {
      changes.push_back(differs(column));
    }
    Condition condition{.quick = all_of({has("NEW"), may_be("NEW", classes)}), .exact = surely_is("NEW", classes)};
    m_on_insert.push_back({std::string{name}, std::string{text}, condition});
    if (m_conditional) {
      changes.push_back(fmt::format("NOT coalesce({} AND {}, {})", has("OLD"), surely_is("OLD", classes),
                                    postgres() ? "false" : "0"));
      condition.exact += " AND " + any_of(changes);
    } else {
      condition.quick += " AND " + any_of(changes);
    }
    m_on_update.push_back({std::string{name}, std::string{text}, std::move(condition)});
  }

  void add_finished() { add_row_rule("finished", k_finished_text, "", k_not_over); }
  void add_missing() { add_row_rule("missing", k_missing_text, "NOT ", k_over); }

  void add_terminal() {
    add_rule("terminal", k_terminal_text, "");
    m_on_update.push_back(
        {"terminal", std::string{k_terminal_text},
         Condition{.quick = all_of({differs(m_status), may_be("OLD", k_over), may_be("NEW", k_not_after_over)}),
                   .exact = all_of({surely_is("OLD", k_over), surely_is("NEW", k_not_after_over)})}});
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
    if (log) {
      add_marked(GuardKind::function, "taskctl_guard_record", filled(m_statements.guard_create_record), "shared");
    }
  }

  void add_check(const std::string& condition) {
    const std::string name = "taskctl_guard_finished";
    add_marked(GuardKind::check, name,
               fill_template(m_statements.guard_create_check, {{"table", m_dialect.table(m_table.name)},
                                                               {"name", m_dialect.identifier(name)},
                                                               {"condition", condition}}),
               to_string(m_result.mode));
  }

  /// Tables of one name stand in several schemas; the name is of a length that no identifier is cut at.
  [[nodiscard]] std::string function_name() const {
    return "taskctl_guard_rules_" + sha256(m_dialect.table(m_table.name)).substr(0, k_guard_hash_length);
  }
  [[nodiscard]] std::string function_text() const {
    return m_dialect.identifier(m_journal_schema) + "." + m_dialect.identifier(function_name());
  }

  void add_function() {
    std::string body;
    for (const RowRule& rule : m_on_update) {
      const std::string quick = fmt::format("{} AND NOT ({})", rule.wrong.quick, off());
      const std::string action = postgres_action(rule);
      body += rule.wrong.exact.empty()
                  ? fmt::format("  IF {} THEN\n    {};\n  END IF;\n", quick, action)
                  : fmt::format("  IF {} THEN\n    IF {} THEN\n      {};\n    END IF;\n  END IF;\n", quick,
                                rule.wrong.exact, action);
    }
    // The log is not the writers'; conditions of the profile then see the catalogue's functions only.
    const bool log = m_result.mode == GuardMode::log;
    add_marked(GuardKind::function, function_name(),
               fill_template(m_statements.guard_create_function,
                             {{"name", function_text()},
                              {"security", log ? "SECURITY DEFINER SET search_path = pg_catalog, pg_temp" : ""},
                              {"body", body}}),
               to_string(m_result.mode));
  }

  [[nodiscard]] std::string postgres_action(const RowRule& rule) const {
    const std::string name = "taskctl_guard_" + rule.name;
    if (m_result.mode == GuardMode::reject) {
      return fmt::format(
          "RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = {}, SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME,\n"
          "      MESSAGE = {}, HINT = {}",
          m_dialect.literal(name), m_dialect.literal(fmt::format("{}: {}", name, rule.text)),
          m_dialect.literal(k_reject_hint));
    }
    const auto value = [&](std::string_view alias, const std::string& column) {
      return column.empty() ? std::string{"NULL"} : fmt::format("to_jsonb({}) #>> '{{}}'", of(alias, column));
    };
    return fmt::format(
        "PERFORM {}.taskctl_guard_record({}, TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME, {}, lower(TG_OP),\n"
        "      {}, {}, {}, {})",
        m_dialect.identifier(m_journal_schema), m_dialect.literal(rule.name), key_text(), value("OLD", m_status),
        value("NEW", m_status), value("OLD", m_finished), value("NEW", m_finished));
  }

  void add_trigger(std::string_view event, const std::vector<RowRule>& rules) {
    if (rules.empty()) {
      return;
    }
    const std::string name = fmt::format("taskctl_guard_{}{}", event, postgres() ? "" : "_" + m_table.name.name);
    std::vector<std::string> conditions;
    for (const RowRule& rule : rules) {
      conditions.push_back(fmt::format("({})", rule.wrong.both()));
    }
    const std::string condition =
        postgres() ? std::string{} : fmt::format("({} AND NOT {})", any_of(conditions), off());
    const std::string action = postgres() ? function_text() + "()" : sqlite_action(rules, event);
    const std::string when = event_clause(event);
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

  [[nodiscard]] std::string event_clause(std::string_view event) const {
    if (event == "insert") {
      return "INSERT";
    }
    std::vector<std::string> columns;
    for (const std::string& column : watched()) {
      columns.push_back(m_dialect.identifier(column));
    }
    return "UPDATE OF " + join(columns, ", ");
  }

  /// The last rule needs no condition of its own: one of them is why the trigger's body runs.
  [[nodiscard]] std::string sqlite_action(const std::vector<RowRule>& rules, std::string_view event) const {
    std::string text;
    for (std::size_t i = 0; i < rules.size(); ++i) {
      const RowRule& rule = rules[i];
      if (m_result.mode == GuardMode::log) {
        text += (i == 0 ? "" : ";\n  ") + sqlite_record(rule, event) +
                (rules.size() == 1 ? "" : " WHERE " + rule.wrong.both());
        continue;
      }
      const std::string raise =
          fmt::format("RAISE(ABORT, {})", m_dialect.literal(fmt::format("taskctl_guard_{}: {}", rule.name, rule.text)));
      if (rules.size() == 1) {
        return "SELECT " + raise;
      }
      text += i + 1 == rules.size()
                  ? fmt::format(" ELSE {} END", raise)
                  : fmt::format("{} WHEN {} THEN {}", i == 0 ? "SELECT CASE" : "", rule.wrong.both(), raise);
    }
    return text;
  }

  [[nodiscard]] std::string sqlite_record(const RowRule& rule, std::string_view event) const {
    const auto value = [&](std::string_view alias, const std::string& column) {
      return column.empty() || (alias == "OLD" && event == "insert") ? std::string{"NULL"} : of(alias, column);
    };
    return fmt::format(
        "INSERT INTO taskctl_guard_log (rule, table_name, task, operation, old_status, new_status, old_finished, "
        "new_finished) SELECT {}, {}, {}, '{}', {}, {}, {}, {}",
        m_dialect.literal(rule.name), m_dialect.literal(m_table.name.name), key_text(), event, value("OLD", m_status),
        value("NEW", m_status), value("OLD", m_finished), value("NEW", m_finished));
  }

  /// The task's key as taskctl prints it. Without a JSON function: the application's SQLite may have been built without
  /// them, and then every update of the table would fail.
  [[nodiscard]] std::string key_text() const {
    std::vector<std::string> parts;
    for (const std::string& key : m_profile.key) {
      parts.push_back(m_dialect.as_text(of("NEW", column_name(key))));
    }
    if (parts.size() == 1) {
      return parts.front();
    }
    // No backslash in the text: how it is read depends on the writer's session.
    const std::string backslash = postgres() ? "chr(92)" : "char(92)";
    for (std::string& part : parts) {
      part = fmt::format(R"('"' || replace(replace({0}, {1}, {1} || {1}), '"', {1} || '"') || '"')", part, backslash);
    }
    return "'[' || " + join(parts, " || ',' || ") + " || ']'";
  }

  static std::string make_mark(std::string_view definition, std::string_view mode) {
    return fmt::format("{}{} {}", k_guard_mark, mode, sha256(definition).substr(0, k_guard_hash_length));
  }

  void add_marked(GuardKind kind, const std::string& name, std::string sql, std::string_view mode) {
    GuardObject object{.kind = kind, .name = name, .mark = make_mark(sql, mode), .create = {std::move(sql)}};
    leave_mark(object);
    m_result.objects.push_back(std::move(object));
  }

  void leave_mark(GuardObject& object) const {
    if (postgres()) {
      object.create.push_back(fill_template(
          m_statements.guard_mark,
          {{"object", guard_object_text(m_dialect, m_table.name, m_journal_schema, object.kind, object.name)},
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
  std::vector<RowRule> m_on_insert, m_on_update;
  GuardDefinition m_result;
};

}  // namespace

GuardDefinition render_guard(const Profile& profile, const Schema& schema, const Dialect& dialect, GuardMode mode,
                             const std::string& journal_schema) {
  return GuardRenderer{profile, schema, dialect, mode, journal_schema}.run();
}

}  // namespace taskctl
