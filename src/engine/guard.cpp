#include "engine/guard.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/error.hpp"
#include "sql/statements.hpp"
#include "sql/template.hpp"
#include "store/row_values.hpp"

namespace taskctl {

namespace {

constexpr std::size_t k_most_records = 1'000'000;
constexpr std::string_view k_log_table = "taskctl_guard_log";
constexpr std::string_view k_checked_rule = "finished";  ///< the one that PostgreSQL holds as a constraint

const TableInfo& task_table(const Profile& profile, const Schema& schema) {
  const TableInfo* table = schema.find(profile.table);
  if (table == nullptr) {
    throw Error{ExitCode::mismatch, fmt::format("there is no table '{}'", profile.table)};
  }
  return *table;
}

/// Triggers and constraints stand on the task table and belong to nobody else.
bool stands_on_table(GuardKind kind) {
  return kind == GuardKind::check || kind == GuardKind::trigger;
}

std::optional<GuardMode> mode_of(const std::string& mark) {
  for (const GuardMode mode : {GuardMode::reject, GuardMode::log}) {
    if (mark.find(fmt::format(" {} ", to_string(mode))) != std::string::npos) {
      return mode;
    }
  }
  return std::nullopt;
}

template <typename Object>
auto find_object(std::vector<Object>& objects, GuardKind kind, const std::string& name) {
  return std::ranges::find_if(objects,
                              [&](const Object& object) { return object.kind == kind && object.name == name; });
}

/// How the statements about the catalogue name a table.
std::string catalogue_name(const Dialect& dialect, const TableInfo& table) {
  return dialect.engine() == Engine::sqlite ? table.name.name : dialect.table(table.name);
}

std::string required(const Value& value) {
  return text_of(value).value_or("");
}

}  // namespace

std::string_view to_string(GuardItem::State state) {
  constexpr std::array<std::string_view, 7> k_names{"installed", "not-valid", "missing",     "differs",
                                                    "disabled",  "unwanted",  "contradicted"};
  return k_names.at(static_cast<std::size_t>(state));
}

bool GuardStatus::matches() const {
  return mode.has_value() && std::ranges::all_of(items, [](const GuardItem& item) {
           return item.state == GuardItem::State::installed || item.state == GuardItem::State::not_valid;
         });
}

Guard::Guard(Connection& connection, const Profile& profile, const Schema& schema, std::string journal_schema)
    : m_connection{connection},
      m_profile{profile},
      m_schema{schema},
      m_journal_schema{std::move(journal_schema)},
      m_table{task_table(profile, schema)} {
  const Dialect dialect{connection.engine()};
  const std::array<Value, 1> parameters{catalogue_name(dialect, m_table)};
  const std::vector<Row> rows = connection.query(dialect.statements().guard_target, parameters);
  const std::string kind = rows.empty() ? "gone" : required(rows[0].at(0));
  if (kind != "table") {
    throw Error{ExitCode::mismatch,
                fmt::format("'{}' cannot be guarded: it is {}", m_table.name.display(),
                            kind == "gone" ? kind
                                           : fmt::format("{} {}{}", kind == "inherited" ? "an" : "a", kind,
                                                         kind == "view" ? "" : " table")),
                "A guard needs a plain table: put it on the tables behind it, with a profile for each."};
  }
  m_owner = required(rows[0].at(1));
  m_owned = flag_of(rows[0].at(2));
}

void Guard::require_owner() const {
  if (!m_owned) {
    throw Error{
        ExitCode::access,
        fmt::format("'{}' belongs to role '{}': constraints and triggers are the owner's", m_table.name.display(),
                    m_owner),
        fmt::format("Connect as '{0}' or a member of it, or give '{0}' what `taskctl guard print` prints.", m_owner)};
  }
}

GuardDefinition Guard::definition(GuardMode mode) const {
  return render_guard(m_profile, m_schema, Dialect{m_connection.engine()}, mode, m_journal_schema);
}

std::vector<Guard::Installed> Guard::read_installed(Connection& connection, const TableInfo& table,
                                                    const std::string& journal_schema) {
  const Dialect dialect{connection.engine()};
  const std::array<Value, 2> parameters{catalogue_name(dialect, table), journal_schema};
  std::vector<Installed> objects;
  for (const Row& row : connection.query(dialect.statements().guard_installed, parameters)) {
    objects.push_back({.kind = parse_guard_kind(required(row.at(0))).value_or(GuardKind::trigger),
                       .name = required(row.at(1)),
                       .mark = find_guard_mark(required(row.at(2))),
                       .validated = flag_of(row.at(3)),
                       .enabled = flag_of(row.at(4)),
                       .shared = flag_of(row.at(5))});
  }
  return objects;
}

std::vector<Guard::Installed> Guard::installed() {
  return read_installed(m_connection, m_table, m_journal_schema);
}

GuardStatus Guard::status(std::optional<GuardMode> mode) {
  std::vector<Installed> found = installed();
  GuardStatus status;
  for (const Installed& object : found) {
    if (stands_on_table(object.kind) && !status.mode) {
      status.mode = mode_of(object.mark);
    }
  }
  const GuardDefinition wanted = definition(mode.value_or(status.mode.value_or(GuardMode::reject)));
  for (const GuardObject& object : wanted.objects) {
    const auto at = find_object(found, object.kind, object.name);
    GuardItem item{.kind = object.kind, .name = object.name, .state = GuardItem::State::missing};
    if (at != found.end()) {
      item.state = !at->enabled                                                ? GuardItem::State::disabled
                   : !object.mark.empty() && at->mark != object.mark           ? GuardItem::State::differs
                   : !at->validated                                            ? GuardItem::State::not_valid
                   : object.kind == GuardKind::check && has_wrong_rows(wanted) ? GuardItem::State::contradicted
                                                                               : GuardItem::State::installed;
      found.erase(at);
    }
    status.items.push_back(std::move(item));
  }
  for (const Installed& object : found) {
    if (stands_on_table(object.kind)) {
      status.items.push_back({object.kind, object.name, GuardItem::State::unwanted});
    }
  }
  const Statements& statements = Dialect{m_connection.engine()}.statements();
  if (flag_of(m_connection.query(statements.guard_state_exists).at(0).at(0))) {
    status.switched_off = flag_of(m_connection.query(statements.guard_switched_off).at(0).at(0));
  }
  return status;
}

std::string Guard::drop(const Installed& object) const {
  return render_guard_drop(Dialect{m_connection.engine()}, m_table.name, m_journal_schema, object.kind, object.name);
}

bool Guard::schema_exists() {
  const std::array<Value, 1> parameters{m_journal_schema};
  return flag_of(
      m_connection.query(Dialect{m_connection.engine()}.statements().journal_exists, parameters).at(0).at(0));
}

std::vector<std::string> Guard::install_statements(GuardMode mode) {
  GuardDefinition wanted = definition(mode);
  std::vector<Installed> found = installed();
  const bool untrue = validated_check(found) && has_wrong_rows(wanted);
  std::vector<std::string> drops;
  std::vector<std::string> late_drops;
  for (auto at = found.begin(); at != found.end();) {
    const auto same = find_object(wanted.objects, at->kind, at->name);
    const bool kept = same != wanted.objects.end() && at->enabled && (same->mark.empty() || same->mark == at->mark) &&
                      !(untrue && at->kind == GuardKind::check);
    if (kept || at->kind == GuardKind::table) {
      ++at;
      continue;
    }
    if (stands_on_table(at->kind)) {
      drops.push_back(drop(*at));
    } else if (same == wanted.objects.end() && !at->shared) {
      late_drops.push_back(drop(*at));
    }
    at = found.erase(at);
  }
  std::vector<std::string> statements = std::move(drops);
  std::ranges::move(late_drops, std::back_inserter(statements));
  std::vector<std::string> creates;
  for (GuardObject& object : wanted.objects) {
    if (find_object(found, object.kind, object.name) == found.end()) {
      std::ranges::move(object.create, std::back_inserter(creates));
    }
  }
  if (!creates.empty() && !schema_exists()) {
    const Dialect dialect{m_connection.engine()};
    const std::string schema = dialect.identifier(m_journal_schema);
    for (const std::string_view sql :
         {dialect.statements().create_journal_schema, dialect.statements().revoke_journal_schema}) {
      statements.push_back(fill_template(sql, {{"schema", schema}}));
    }
  }
  std::ranges::move(creates, std::back_inserter(statements));
  return statements;
}

std::vector<std::string> Guard::remove_statements() {
  std::vector<Installed> found = installed();
  std::erase_if(found, [](const Installed& object) { return object.shared; });
  // Triggers before the functions that they call.
  constexpr std::array k_order{GuardKind::trigger, GuardKind::check, GuardKind::function, GuardKind::table};
  std::vector<std::string> statements;
  for (const GuardKind kind : k_order) {
    for (const Installed& object : found) {
      if (object.kind == kind) {
        statements.push_back(drop(object));
      }
    }
  }
  return statements;
}

void Guard::run(const std::vector<std::string>& statements, const std::function<void()>& also) {
  try {
    Transaction transaction{m_connection, Access::write};
    for (const std::string& statement : statements) {
      m_connection.run(statement);
    }
    if (also) {
      also();
    }
    transaction.commit();
  } catch (const BusyError& error) {
    throw BusyError{fmt::format("'{}' is in use: {}", m_table.name.display(), error.message()),
                    "Nothing was changed. Try again when the transactions that hold the table are over."};
  } catch (const Error& error) {
    if (error.code() != ExitCode::access) {
      throw;
    }
    const ServerInfo& server = m_connection.server();
    throw Error{ExitCode::access, "the guard was not changed: " + error.message(),
                fmt::format("The role needs the table and a schema to put the guard's functions in: CREATE SCHEMA "
                            "IF NOT EXISTS {0}; GRANT USAGE, CREATE ON SCHEMA {0} TO \"{1}\";",
                            Dialect{m_connection.engine()}.identifier(m_journal_schema), server.user)};
  }
}

bool Guard::has_wrong_rows(const GuardDefinition& definition) {
  return std::ranges::any_of(definition.rules, [&](const GuardRule& rule) {
    return rule.name == k_checked_rule && count_wrong({rule}).front().value_or(0) > 0;
  });
}

bool Guard::validated_check(const std::vector<Installed>& objects) {
  return std::ranges::any_of(
      objects, [](const Installed& object) { return object.kind == GuardKind::check && object.validated; });
}

bool Guard::is_contradicted(Connection& connection, const Profile& profile, const Schema& schema,
                            const std::string& journal_schema) {
  if (connection.engine() == Engine::sqlite ||
      !validated_check(read_installed(connection, task_table(profile, schema), journal_schema))) {
    return false;
  }
  Guard guard{connection, profile, schema, journal_schema};
  return guard.has_wrong_rows(guard.definition(GuardMode::reject));
}

std::vector<std::optional<std::int64_t>> Guard::count_wrong(const std::vector<GuardRule>& rules) {
  std::vector<std::optional<std::int64_t>> counts;
  for (const GuardRule& rule : rules) {
    counts.push_back(rule.count.empty() ? std::nullopt : integer_of(m_connection.query(rule.count).at(0).at(0)));
  }
  return counts;
}

std::string Guard::validation() {
  for (const Installed& object : installed()) {
    if (object.kind == GuardKind::check && !object.validated) {
      return render_guard_validate(Dialect{m_connection.engine()}, m_table.name, object.name);
    }
  }
  return {};
}

bool Guard::has_log() {
  std::vector<Installed> found = installed();
  return find_object(found, GuardKind::table, std::string{k_log_table}) != found.end();
}

std::vector<GuardRecord> Guard::report(std::size_t limit) {
  std::vector<GuardRecord> records;
  if (!has_log()) {
    return records;
  }
  const Dialect dialect{m_connection.engine()};
  const std::string sql =
      fill_template(dialect.statements().guard_report, {{"schema", dialect.identifier(m_journal_schema)}});
  const std::array<Value, 1> parameters{static_cast<std::int64_t>(std::min(limit, k_most_records))};
  m_connection.run(sql, parameters, [&records](const Row& row) {
    records.push_back({.id = integer_of(row.at(0)).value_or(0),
                       .at = required(row.at(1)),
                       .rule = required(row.at(2)),
                       .table = required(row.at(3)),
                       .task = required(row.at(4)),
                       .operation = required(row.at(5)),
                       .old_status = text_of(row.at(6)),
                       .new_status = text_of(row.at(7)),
                       .old_finished = text_of(row.at(8)),
                       .new_finished = text_of(row.at(9)),
                       .user = text_of(row.at(10)),
                       .application = text_of(row.at(11)),
                       .client = text_of(row.at(12)),
                       .pid = text_of(row.at(13)),
                       .statement = text_of(row.at(14))});
  });
  return records;
}

}  // namespace taskctl
