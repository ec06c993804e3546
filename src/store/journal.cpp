#include "store/journal.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/timestamp.hpp"
#include "base/zone.hpp"
#include "sql/array_literal.hpp"
#include "sql/dialect.hpp"
#include "sql/statements.hpp"
#include "sql/template.hpp"
#include "store/image_codec.hpp"

namespace taskctl {

namespace {

constexpr std::int64_t k_version = 1;
constexpr std::int64_t k_table_count = 3;

/// Always six digits, so that the texts sort like the times.
Value time_value(Instant at) {
  return format_local(Zone::utc().to_local(at), 'T', 6) + "Z";
}

Value time_value(const std::optional<Instant>& at) {
  return at ? time_value(*at) : Value{Null{}};
}

/// Reads one row column by column. PostgreSQL hands numbers over as texts.
class RowReader {
 public:
  explicit RowReader(const Row& row) : m_row{row} {}

  std::string text() {
    const Value& value = next();
    if (const std::string* text = std::get_if<std::string>(&value)) {
      return *text;
    }
    throw Error{ExitCode::mismatch, "the journal is damaged: '" + to_display(value) + "' where a text belongs"};
  }

  std::optional<std::string> optional_text() {
    if (is_null(m_row.at(m_next))) {
      ++m_next;
      return std::nullopt;
    }
    return text();
  }

  std::int64_t number() {
    const Value& value = next();
    if (const std::int64_t* number = std::get_if<std::int64_t>(&value)) {
      return *number;
    }
    std::int64_t number = 0;
    const std::string text = to_display(value);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) {
      throw Error{ExitCode::mismatch, "the journal is damaged: '" + text + "' where a number belongs"};
    }
    return number;
  }

  Instant time() { return parse_instant(text(), "journal"); }

  std::optional<Instant> optional_time() {
    const std::optional<std::string> value = optional_text();
    return value ? std::optional{parse_instant(*value, "journal")} : std::nullopt;
  }

 private:
  const Value& next() { return m_row.at(m_next++); }

  const Row& m_row;
  std::size_t m_next = 0;
};

template <typename T>
T known(std::optional<T> value, const std::string& text) {
  if (!value) {
    throw Error{ExitCode::mismatch, "the journal holds '" + text + "', which this taskctl does not know",
                "Use the taskctl that wrote it, or a newer one."};
  }
  return *value;
}

RunRecord read_run(const Row& row) {
  RowReader in{row};
  RunRecord run;
  run.id = in.text();
  run.command = in.text();
  const std::string state = in.text();
  run.state = known(parse_run_state(state), state);
  run.started = in.time();
  run.finished = in.optional_time();
  run.author.user = in.text();
  run.author.sudo_user = in.text();
  run.author.host = in.text();
  run.author.pid = static_cast<int>(in.number());
  for (std::string* field : {&run.reason, &run.arguments, &run.version, &run.profile, &run.profile_hash, &run.plan_hash,
                             &run.plan_nonce, &run.undoes, &run.backup}) {
    *field = in.text();
  }
  run.detection_now = in.optional_time();
  for (std::int64_t* count : {&run.applied, &run.moved_on, &run.conflicts, &run.busy, &run.failed}) {
    *count = in.number();
  }
  return run;
}

constexpr std::size_t k_entry_columns = 14;
constexpr std::size_t k_entries_together = 500;

std::array<Value, k_entry_columns> entry_values(const std::string& run_id, const JournalEntry& entry) {
  const Change& change = entry.change;
  return {run_id,
          entry.sequence,
          entry.task,
          entry.rule,
          entry.outcome,
          std::string{to_string(change.operation)},
          change.table.schema,
          change.table.name,
          encode_key(change.key),
          change.before ? Value{encode_image(*change.before)} : Value{Null{}},
          change.after ? Value{encode_image(*change.after)} : Value{Null{}},
          encode_names(change.written),
          encode_side_effects(entry.side_effects),
          time_value(entry.applied_at)};
}

JournalEntry read_entry(RowReader& in) {
  JournalEntry entry;
  entry.sequence = in.number();
  entry.task = in.text();
  entry.rule = in.text();
  entry.outcome = in.text();
  const std::string operation = in.text();
  entry.change.operation = known(parse_operation(operation), operation);
  entry.change.table.schema = in.text();
  entry.change.table.name = in.text();
  entry.change.key = decode_key(in.text());
  if (const std::optional<std::string> before = in.optional_text()) {
    entry.change.before = decode_image(*before);
  }
  if (const std::optional<std::string> after = in.optional_text()) {
    entry.change.after = decode_image(*after);
  }
  entry.change.written = decode_names(in.text());
  entry.side_effects = decode_side_effects(in.text());
  entry.applied_at = in.time();
  return entry;
}

}  // namespace

Journal::Journal(Connection& connection, std::string schema_name)
    : m_connection{connection}, m_schema{std::move(schema_name)} {}

std::string Journal::statement(std::string_view Statements::*member) const {
  const Dialect dialect{m_connection.engine()};
  return fill_template(dialect.statements().*member, {{"schema", dialect.identifier(m_schema)}});
}

Journal::Parts Journal::parts() {
  const std::array<Value, 1> parameters{m_schema};
  const std::vector<Row> rows = m_connection.query(statement(&Statements::journal_exists), parameters);
  RowReader in{rows.at(0)};
  const bool schema = in.number() > 0;
  return {.schema = schema, .tables = in.number()};
}

bool Journal::exists() {
  return parts().tables == k_table_count;
}

std::string Journal::meta(const std::string& name) {
  const std::array<Value, 1> parameters{name};
  const std::vector<Row> rows = m_connection.query(statement(&Statements::select_meta), parameters);
  return rows.empty() ? std::string{} : RowReader{rows[0]}.text();
}

void Journal::require_version() {
  const std::string version = meta("journal_version");
  if (!version.empty() && version != std::to_string(k_version)) {
    throw Error{ExitCode::mismatch, "the journal has version '" + version + "', this taskctl writes version '1'",
                "Use the taskctl that made the journal, or a newer one."};
  }
}

void Journal::create_here() {
  const Parts found = parts();
  if (found.tables == k_table_count) {
    require_version();
    return;
  }
  create_parts(found);
}

void Journal::create() {
  if (exists()) {
    require_version();
    return;
  }
  try {
    Transaction transaction{m_connection, Access::write};
    create_here();
    transaction.commit();
  } catch (const InDoubtError& error) {
    // Empty tables that may be there or not: no task depends on them, and the next run looks.
    throw Error{ExitCode::unavailable, error.message() + " of the empty journal; no task was changed",
                "Run the command again."};
  } catch (const Error& error) {
    if (error.code() != ExitCode::access) {
      throw;
    }
    throw Error{ExitCode::access, "cannot create the journal: " + error.message(),
                "Ask an administrator to run these statements, then try again:\n" + ddl()};
  }
}

void Journal::create_parts(const Parts& found) {
  if (m_connection.engine() == Engine::postgres && !found.schema) {
    m_connection.run(statement(&Statements::create_journal_schema));
    m_connection.run(statement(&Statements::revoke_journal_schema));
  }
  m_connection.run(statement(&Statements::create_meta));
  m_connection.run(statement(&Statements::create_runs));
  m_connection.run(statement(&Statements::create_changes));
  m_connection.run(statement(&Statements::revoke_journal_tables));
  m_connection.run(statement(&Statements::insert_journal_version));
  const std::array<Value, 2> uuid_row{std::string{"uuid"}, random_uuid()};
  m_connection.run(statement(&Statements::insert_meta), uuid_row);
  require_version();
}

std::string Journal::uuid() {
  return exists() ? meta("uuid") : std::string{};
}

void Journal::insert_run(const RunRecord& run) {
  const auto refuse = [&run](const std::string& by) {
    throw Error{ExitCode::stale, "this plan was already applied" + by,
                "Run '" + run.command + "' again: it makes a new plan from what is there now."};
  };
  const std::array<Value, 1> nonce{run.plan_nonce};
  const std::vector<Row> rows = m_connection.query(statement(&Statements::find_nonce), nonce);
  if (!rows.empty()) {
    refuse(" by run '" + RowReader{rows[0]}.text() + "'");
  }
  const std::array<Value, 25> parameters{run.id,
                                         run.command,
                                         std::string{to_string(run.state)},
                                         time_value(run.started),
                                         time_value(run.finished),
                                         run.author.user,
                                         run.author.sudo_user,
                                         run.author.host,
                                         std::int64_t{run.author.pid},
                                         run.reason,
                                         run.arguments,
                                         run.version,
                                         run.profile,
                                         run.profile_hash,
                                         run.plan_hash,
                                         run.plan_nonce,
                                         run.undoes,
                                         run.backup,
                                         time_value(run.detection_now),
                                         run.applied,
                                         run.moved_on,
                                         run.conflicts,
                                         run.busy,
                                         run.failed,
                                         run.request};
  try {
    m_connection.run(statement(&Statements::insert_run), parameters);
  } catch (const ConstraintError&) {
    refuse("");  // by somebody who committed between the look-up and the insert
  }
}

std::int64_t Journal::last_sequence(const std::string& run_id) {
  const std::array<Value, 1> parameters{run_id};
  return RowReader{m_connection.query(statement(&Statements::last_sequence), parameters).at(0)}.number();
}

void Journal::insert_changes(const std::string& run_id, std::span<const JournalEntry> entries) {
  if (m_connection.engine() == Engine::postgres) {
    for (std::size_t begin = 0; begin < entries.size(); begin += k_entries_together) {
      insert_together(run_id, entries.subspan(begin, std::min(k_entries_together, entries.size() - begin)));
    }
    return;
  }
  const std::string sql = statement(&Statements::insert_change);
  for (const JournalEntry& entry : entries) {
    m_connection.run(sql, entry_values(run_id, entry));
  }
}

void Journal::insert_together(const std::string& run_id, std::span<const JournalEntry> entries) {
  std::array<std::vector<Value>, k_entry_columns> columns;
  for (const JournalEntry& entry : entries) {
    std::array<Value, k_entry_columns> values = entry_values(run_id, entry);
    for (std::size_t i = 0; i < values.size(); ++i) {
      columns[i].push_back(std::move(values[i]));
    }
  }
  std::vector<Value> parameters{run_id};
  for (std::size_t i = 1; i < columns.size(); ++i) {
    parameters.emplace_back(array_literal(columns[i]));
  }
  m_connection.run(statement(&Statements::insert_changes), parameters);
}

void Journal::update_run(const RunRecord& run) {
  const std::array<Value, 8> parameters{run.id,
                                        std::string{to_string(run.state)},
                                        time_value(run.finished),
                                        run.applied,
                                        run.moved_on,
                                        run.conflicts,
                                        run.busy,
                                        run.failed};
  m_connection.run(statement(&Statements::update_run), parameters);
}

std::vector<RunRecord> Journal::read_runs(std::string_view Statements::*member, std::span<const Value> parameters) {
  std::vector<RunRecord> runs;
  if (exists()) {
    require_version();
    m_connection.run(statement(member), parameters, [&runs](const Row& row) { runs.push_back(read_run(row)); });
  }
  return runs;
}

std::vector<RunRecord> Journal::runs(std::size_t limit) {
  constexpr std::size_t k_most = 1'000'000;
  const std::array<Value, 1> parameters{static_cast<std::int64_t>(std::min(limit, k_most))};
  return read_runs(&Statements::select_runs, parameters);
}

std::optional<RunRecord> Journal::find_run(const std::string& id) {
  if (id.empty()) {
    return std::nullopt;
  }
  const std::array<Value, 1> parameters{id};
  std::vector<RunRecord> found = read_runs(&Statements::find_run, parameters);
  const bool unambiguous = found.size() == 1 || (found.size() > 1 && found[0].id == id);
  return unambiguous ? std::optional{std::move(found[0])} : std::nullopt;
}

std::optional<RunRecord> Journal::run_of_plan(const std::string& nonce) {
  if (!exists()) {
    return std::nullopt;
  }
  const std::array<Value, 1> parameters{nonce};
  const std::vector<Row> rows = m_connection.query(statement(&Statements::find_nonce), parameters);
  return rows.empty() ? std::nullopt : find_run(RowReader{rows[0]}.text());
}

std::optional<RunRecord> Journal::last_undoable() {
  std::vector<RunRecord> found = read_runs(&Statements::last_undoable, {});
  return found.empty() ? std::nullopt : std::optional{std::move(found[0])};
}

std::vector<std::string> Journal::undone_by(const std::string& id) {
  std::vector<std::string> ids;
  if (exists()) {
    const std::array<Value, 1> parameters{id};
    m_connection.run(statement(&Statements::undone_by), parameters,
                     [&ids](const Row& row) { ids.push_back(RowReader{row}.text()); });
  }
  return ids;
}

std::string Journal::request(const std::string& run_id) {
  const std::array<Value, 1> parameters{run_id};
  const std::vector<Row> rows = m_connection.query(statement(&Statements::select_request), parameters);
  return rows.empty() ? std::string{} : RowReader{rows[0]}.text();
}

std::set<std::string> Journal::applied_tasks(const std::string& run_id) {
  const std::array<Value, 1> parameters{run_id};
  std::set<std::string> tasks;
  m_connection.run(statement(&Statements::select_applied_tasks), parameters,
                   [&tasks](const Row& row) { tasks.insert(RowReader{row}.text()); });
  return tasks;
}

void Journal::read_changes(const std::string& run_id, const std::function<void(JournalEntry&&)>& sink,
                           bool newest_first) {
  std::optional<Transaction> transaction;
  if (!m_connection.in_transaction()) {
    transaction.emplace(m_connection, Access::read);
  }
  if (!exists()) {
    return;
  }
  require_version();
  const std::array<Value, 1> parameters{run_id};
  m_connection.stream(statement(newest_first ? &Statements::select_changes_newest : &Statements::select_changes),
                      parameters, [&sink](const Row& row) {
                        RowReader in{row};
                        sink(read_entry(in));
                      });
}

void Journal::read_task_changes(const std::string& task,
                                const std::function<void(const std::string& run_id, JournalEntry&&)>& sink) {
  Transaction transaction{m_connection, Access::read};
  if (!exists()) {
    return;
  }
  require_version();
  const std::array<Value, 1> parameters{task};
  m_connection.stream(statement(&Statements::select_task_changes), parameters, [&sink](const Row& row) {
    RowReader in{row};
    const std::string run_id = in.text();
    sink(run_id, read_entry(in));
  });
}

std::vector<PrunableRun> Journal::prunable(Instant before) {
  std::vector<PrunableRun> runs;
  if (exists()) {
    require_version();
    const std::array<Value, 1> parameters{time_value(before)};
    m_connection.run(statement(&Statements::select_prunable), parameters, [&runs](const Row& row) {
      RowReader in{row};
      std::string id = in.text();
      runs.push_back({.id = std::move(id), .changes = in.number()});
    });
  }
  return runs;
}

bool Journal::prune(const std::string& run_id, std::size_t chunk, const std::function<bool()>& go_on) {
  const std::array<Value, 1> run{run_id};
  const std::array<Value, 2> some{run_id, static_cast<std::int64_t>(chunk)};
  const auto apart = [this](std::string_view Statements::*member, std::span<const Value> parameters) {
    Transaction transaction{m_connection, Access::write};
    const std::int64_t changed = m_connection.run(statement(member), parameters);
    transaction.commit();
    return changed;
  };
  {
    // Together: without the right to delete there must be no mark, for a marked run cannot be undone.
    Transaction transaction{m_connection, Access::write};
    m_connection.run(statement(&Statements::mark_pruning), run);
    m_connection.run(statement(&Statements::delete_changes), some);
    transaction.commit();
  }
  if (!go_on()) {
    return false;
  }
  while (apart(&Statements::delete_changes, some) > 0) {
    if (!go_on()) {
      return false;
    }
  }
  apart(&Statements::delete_run, run);
  return true;
}

}  // namespace taskctl
