#include "engine/applier_batch.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"
#include "engine/evidence_gatherer.hpp"
#include "engine/lister.hpp"
#include "engine/row_check.hpp"
#include "engine/row_identity.hpp"
#include "engine/workers.hpp"

namespace taskctl {

namespace {

/// An insert whose key the database will choose has no row to look for.
bool has_key(const Change& change) {
  return !change.key.columns.empty();
}

/// The unit is about a task that has to be judged again, not about another row and not an undo.
bool is_about_task(const PlanUnit& unit) {
  return unit.finding && !unit.finding->table;
}

/// A saved plan may hold anything.
void require_key_of(const Profile& profile, const TaskKey& key) {
  if (key.parts.size() != profile.key.size()) {
    throw Error{
        ExitCode::stale,
        "the plan has the task '" + printable(key.text()) + "', which is no key of profile '" + profile.name + "'",
        "Make the plan again."};
  }
}

std::string row_name(const Change& change) {
  return "the row " + change.key.display() + " of '" + change.table.display() + "'";
}

/// A policy may show a row and keep it from being locked: that looks as if somebody else had locked it.
std::string held_text(const TableInfo* table) {
  const bool policies = table != nullptr && table->row_security;
  return std::string{"is locked by another session"} +
         (policies ? ", or row-level security shows it to this role and keeps it from changing it" : "");
}

bool written_alike(const Change& one, const Change& other) {
  return one.table == other.table && one.key.columns == other.key.columns && one.written == other.written;
}

/// The row has the same key afterwards.
bool keeps_key(const Change& change) {
  return std::ranges::none_of(change.key.columns, [&](const std::string& column) {
    return std::ranges::find(change.written, column) != change.written.end();
  });
}

Image overlaid(Image image, const Change& change) {
  for (const std::string& column : change.written) {
    if (const Value* value = change.after->find(column)) {
      image.set(column, *value);
    }
  }
  return image;
}

}  // namespace

BatchWriter::BatchWriter(TaskStore& store, const Plan& plan, std::span<const PlanUnit> units, std::size_t first,
                         Isolation isolation, Locking locking)
    : m_store{store},
      m_plan{plan},
      m_units{units},
      m_first{first},
      m_isolation{isolation},
      m_lock{locking == Locking::taken},
      m_reports(units.size()),
      m_open(units.size(), true) {
  for (std::size_t i = 0; i < units.size(); ++i) {
    m_reports[i].task = units[i].task;
  }
  for (const TableName& name : plan.tables()) {
    const TableInfo* table = find_table(store.schema(), name);
    if (table == nullptr) {
      throw Error{ExitCode::stale, "the plan changes '" + name.display() + "', which the profile does not name",
                  "Make the plan again."};
    }
    m_triggers = m_triggers || !table->triggers.empty();
  }
}

void BatchWriter::prepare() {
  read_tasks();
  check_tasks();
  for (auto& [index, refusal] : check_invariants(m_store, m_units, m_plan, m_lock)) {
    refuse(index, std::move(refusal));
  }
  read_rows();
}

void BatchWriter::read_tasks() {
  FactsRequest wanted;
  wanted.rows = FactsRequest::Rows::by_key;
  wanted.with_image = true;
  wanted.lock = m_lock;
  for (const PlanUnit& unit : m_units) {
    if (is_about_task(unit)) {
      require_key_of(m_store.profile(), unit.finding->task.key);
      wanted.keys.push_back(unit.finding->task.key);
    }
  }
  if (wanted.keys.empty()) {
    return;
  }
  m_store.read_facts(wanted, [this](TaskFacts&& facts) {
    TaskKey key = facts.task.key;
    m_facts.insert_or_assign(std::move(key), std::move(facts));
  });
  for (const PlanUnit& unit : m_units) {
    if (is_about_task(unit)) {
      recall_sighting(unit.finding->task, m_facts);
    }
  }
  std::erase_if(wanted.keys, [this](const TaskKey& key) { return m_facts.count(key) > 0; });
  if (m_lock && !wanted.keys.empty()) {
    wanted.with_image = false;
    wanted.lock = false;
    m_store.read_facts(wanted, [this](TaskFacts&& facts) { m_held_tasks.insert(std::move(facts.task.key)); });
  }
}

void BatchWriter::check_tasks() {
  if (m_facts.empty() && m_held_tasks.empty() && std::none_of(m_units.begin(), m_units.end(), is_about_task)) {
    return;
  }
  const JudgeContext context = read_judge_context(m_store, m_plan.policy, m_plan.given_now);
  std::vector<TaskFacts*> tasks;
  for (auto& [key, facts] : m_facts) {
    tasks.push_back(&facts);
  }
  gather_evidence(m_store, context, tasks);
  LivenessVerdict worker;
  if (m_plan.command == "release-worker") {
    // After the rows are locked, by a statement of its own: a heartbeat that came meanwhile is seen.
    worker = judge_worker(m_store, m_plan.selector.workers.front(), context, tasks);
  }
  for (std::size_t i = 0; i < m_units.size(); ++i) {
    const PlanUnit& unit = m_units[i];
    if (!is_about_task(unit)) {
      continue;
    }
    const TaskKey& key = unit.finding->task.key;
    const auto facts = m_facts.find(key);
    if (facts != m_facts.end()) {
      if (std::optional<Refusal> refusal = check_again(unit, facts->second, context, m_plan, worker)) {
        refuse(i, std::move(*refusal));
      }
    } else if (m_held_tasks.count(key) > 0) {
      refuse(i, {UnitResult::busy, "the row " + held_text(m_store.schema().find(m_store.profile().table))});
    } else {
      refuse(i, {.result = UnitResult::moved_on, .detail = "row is gone", .gone = true});
    }
  }
}

void BatchWriter::read_rows() {
  RowReads reads;
  std::vector<const Change*> wanted;
  for (std::size_t i = 0; i < m_units.size(); ++i) {
    for (const Change& change : m_units[i].changes) {
      if (!m_open[i] || !has_key(change)) {
        continue;
      }
      const std::string identity = row_identity(change.table, change.key);
      const Image* own = own_row(m_units[i], change);
      if (own != nullptr) {
        m_rows[identity] = *own;
      } else {
        reads.want(change.table, change.key);
        wanted.push_back(&change);
      }
    }
  }
  reads.read(m_store, m_lock,
             [this](const std::string& identity, std::optional<Image>&& row) { m_rows[identity] = std::move(row); });
  if (!m_lock) {
    return;
  }
  std::erase_if(
      wanted, [this](const Change* change) { return m_rows.at(row_identity(change->table, change->key)).has_value(); });
  find_holders(wanted);
}

/// The locked row of the unit's task, when the change is about that row.
const Image* BatchWriter::own_row(const PlanUnit& unit, const Change& change) const {
  const TableInfo* table = m_store.schema().find(m_store.profile().table);
  if (!is_about_task(unit) || table == nullptr || table->name != change.table) {
    return nullptr;
  }
  const auto facts = m_facts.find(unit.finding->task.key);
  if (facts == m_facts.end() || !facts->second.image) {
    return nullptr;
  }
  const Image& image = *facts->second.image;
  return key_in(change.table, image, change.key) == change.key ? &image : nullptr;
}

/// A row that the locking read did not give is gone, or somebody else holds it.
void BatchWriter::find_holders(const std::vector<const Change*>& missing) {
  RowReads reads;
  for (const Change* change : missing) {
    reads.want(change->table, change->key);
  }
  reads.read(m_store, false, [this](const std::string& identity, std::optional<Image>&& row) {
    if (row) {
      m_held_rows.insert(identity);
    }
  });
}

void BatchWriter::refresh(const PlanUnit& unit) {
  RowReads reads;
  for (const Change& change : unit.changes) {
    if (has_key(change)) {
      reads.want(change.table, change.key);
    }
  }
  reads.read(m_store, false,
             [this](const std::string& identity, std::optional<Image>&& row) { m_rows[identity] = std::move(row); });
}

void BatchWriter::refuse(std::size_t index, Refusal refusal) {
  m_open[index] = false;
  m_reports[index].result = refusal.result;
  m_reports[index].detail = std::move(refusal.detail);
  m_reports[index].finding = m_units[index].finding;
  if (refusal.gone) {
    m_gone.insert(index);
  }
}

bool BatchWriter::waits(const PlanUnit& unit) const {
  return std::any_of(unit.depends_on.begin(), unit.depends_on.end(), [this](std::size_t dependency) {
    return dependency < m_first || m_reports.at(dependency - m_first).result != UnitResult::applied;
  });
}

std::optional<Refusal> BatchWriter::difference(const PlanUnit& unit) {
  if (m_triggers && !m_written.empty()) {
    confirm();
    refresh(unit);
  }
  for (const Change& change : unit.changes) {
    if (!has_key(change)) {
      continue;
    }
    const std::string identity = row_identity(change.table, change.key);
    if (m_unconfirmed.count(identity) > 0) {
      confirm();
    }
    if (m_held_rows.count(identity) > 0) {
      return Refusal{UnitResult::busy, row_name(change) + " " + held_text(find_table(m_store.schema(), change.table))};
    }
    const std::optional<Image>& row = m_rows.at(identity);
    if (!change.before && row) {
      return Refusal{UnitResult::conflict, row_name(change) + " is there already"};
    }
    if (change.before && !row) {
      return Refusal{
          .result = UnitResult::conflict, .detail = row_name(change) + " is gone", .gone = !unit.finding.has_value()};
    }
    if (change.before && *row != *change.before) {
      const std::string where = own_row(unit, change) == nullptr ? "in " + row_name(change) + ": " : std::string{};
      return Refusal{UnitResult::conflict, where + describe_difference(*change.before, *row)};
    }
  }
  return std::nullopt;
}

/// A derived row is worked out again from what the batch has written so far.
std::optional<Refusal> BatchWriter::recheck(const PlanUnit& unit) {
  if (!is_derived(m_store.profile(), unit)) {
    return std::nullopt;
  }
  write_waiting();
  return check_derived(m_store, unit, m_plan);
}

std::map<std::size_t, Refusal> BatchWriter::check() {
  std::map<std::size_t, Refusal> refusals;
  for (std::size_t i = 0; i < m_units.size(); ++i) {
    if (m_open[i]) {
      if (std::optional<Refusal> refusal = difference(m_units[i])) {
        refuse(i, std::move(*refusal));
      } else {
        pretend(m_units[i]);
      }
    }
    if (!m_open[i]) {
      const UnitReport& report = m_reports[i];
      refusals.emplace(i, Refusal{.result = report.result, .detail = report.detail, .gone = m_gone.contains(i)});
    }
  }
  return refusals;
}

/// The rows as they would be after the unit: units that come later may rest on them.
void BatchWriter::pretend(const PlanUnit& unit) {
  for (const Change& change : unit.changes) {
    if (!has_key(change)) {
      continue;
    }
    std::optional<Image>& row = m_rows.at(row_identity(change.table, change.key));
    if (change.operation == Operation::update) {
      row = overlaid(*row, change);
    } else {
      row = change.after;
    }
  }
}

BatchOutcome BatchWriter::write() {
  for (std::size_t i = 0; i < m_units.size(); ++i) {
    if (!m_open[i]) {
      continue;
    }
    if (waits(m_units[i])) {
      refuse(i, {UnitResult::waiting, "a task that it depends on was not changed"});
    } else if (std::optional<Refusal> refusal = difference(m_units[i])) {
      refuse(i, std::move(*refusal));
    } else if (std::optional<Refusal> outdated = recheck(m_units[i])) {
      refuse(i, std::move(*outdated));
    } else if (m_isolation == Isolation::per_unit) {
      write_apart(i);
    } else {
      write_changes(i);
    }
  }
  confirm();
  return take_outcome();
}

void BatchWriter::write_apart(std::size_t index) {
  confirm();
  const std::size_t written_before = m_written.size();
  Connection& connection = m_store.connection();
  const auto give_up = [&](UnitResult result, const std::string& detail) {
    connection.rollback_to_savepoint();
    m_written.resize(written_before);
    m_confirmed = written_before;
    m_unconfirmed.clear();
    refresh(m_units[index]);
    refuse(index, {result, detail});
  };
  connection.savepoint();
  try {
    write_changes(index);
    confirm();
    connection.release_savepoint();
  } catch (const ConstraintError& error) {
    give_up(UnitResult::failed, error.message());
  } catch (const BusyError& error) {
    give_up(UnitResult::busy, error.message());
  } catch (const UnitFailure& failure) {
    give_up(UnitResult::conflict, failure.what());
  }
}

void BatchWriter::write_changes(std::size_t index) {
  for (const Change& change : m_units[index].changes) {
    write_change(index, change);
  }
}

void BatchWriter::write_change(std::size_t index, const Change& planned) {
  Written written{.unit = index, .change = planned, .expected = {}};
  Change& change = written.change;
  if (has_key(change)) {
    const std::string identity = row_identity(change.table, change.key);
    if (m_unconfirmed.count(identity) > 0) {
      confirm();  // an earlier change of this unit wrote the same row
    }
    change.before = m_rows.at(identity);
    m_rows[identity].reset();
  }
  const bool later = can_wait(change);
  if (!later) {
    write_waiting();
    if (m_store.write(change) != 1) {
      throw UnitFailure{row_name(change) + " was not written: no row, or a trigger, answered"};
    }
  }
  if (change.operation != Operation::remove) {
    if (change.operation == Operation::update) {
      written.expected = overlaid(*change.before, change);
      change.key = key_in(change.table, *written.expected, change.key);
    } else {
      written.expected = change.after;
    }
    if (has_key(change)) {
      m_unconfirmed.insert(row_identity(change.table, change.key));
    }
  }
  m_written.push_back(std::move(written));
  if (later) {
    m_waiting.push_back(m_written.size() - 1);
  }
}

/// Every statement is a round trip to PostgreSQL. A trigger could see, or change, rows in the order they are written.
bool BatchWriter::can_wait(const Change& change) const {
  return m_isolation == Isolation::together && !m_triggers && change.operation == Operation::update &&
         keeps_key(change) && m_store.connection().engine() == Engine::postgres;
}

/// One statement for all that write the same columns. When it does not answer for every row, which one was it? The
/// caller begins anew and takes unit after unit.
void BatchWriter::write_waiting() {
  std::vector<std::vector<const Change*>> groups;
  for (const std::size_t index : m_waiting) {
    const Change& change = m_written[index].change;
    const auto group =
        std::ranges::find_if(groups, [&](const auto& changes) { return written_alike(*changes.front(), change); });
    (group == groups.end() ? groups.emplace_back() : *group).push_back(&change);
  }
  m_waiting.clear();
  for (const std::vector<const Change*>& changes : groups) {
    if (m_store.update_together(changes) != static_cast<std::int64_t>(changes.size())) {
      throw UnitFailure{"not every row of '" + changes.front()->table.display() +
                        "' was written: no row, or a trigger, answered"};
    }
  }
}

/// Re-reads what was written since the last time: the after-images.
void BatchWriter::confirm() {
  write_waiting();
  RowReads reads;
  for (std::size_t i = m_confirmed; i < m_written.size(); ++i) {
    const Written& written = m_written[i];
    if (written.expected && has_key(written.change)) {
      reads.want(written.change.table, written.change.key);
    }
  }
  reads.read(m_store, false,
             [this](const std::string& identity, std::optional<Image>&& row) { m_rows[identity] = std::move(row); });
  for (; m_confirmed < m_written.size(); ++m_confirmed) {
    Written& written = m_written[m_confirmed];
    if (!written.expected || !has_key(written.change)) {
      continue;
    }
    const std::optional<Image>& row = m_rows.at(row_identity(written.change.table, written.change.key));
    if (!row) {
      throw UnitFailure{row_name(written.change) + " disappeared as it was written: a trigger removed it"};
    }
    written.change.after = row;
  }
  m_unconfirmed.clear();
}

std::vector<SideEffect> BatchWriter::side_effects(const Written& written) const {
  std::vector<SideEffect> effects;
  if (!written.expected || !written.change.after) {
    return effects;
  }
  const TableInfo* table = find_table(m_store.schema(), written.change.table);
  const Image& expected = *written.expected;
  for (std::size_t i = 0; i < expected.values.size(); ++i) {
    const std::string& column = expected.columns->at(i);
    const ColumnInfo* info = table == nullptr ? nullptr : table->find(column);
    const Value* actual = written.change.after->find(column);
    if (actual != nullptr && (info == nullptr || !info->generated) && *actual != expected.values[i]) {
      effects.push_back({written.change.table.display(), column, expected.values[i], *actual});
    }
  }
  return effects;
}

BatchOutcome BatchWriter::take_outcome() {
  BatchOutcome outcome;
  for (Written& written : m_written) {
    const PlanUnit& unit = m_units[written.unit];
    JournalEntry entry;
    entry.task = unit.task;
    if (unit.finding) {
      entry.rule = unit.finding->certainty == Certainty::none ? "" : to_string(unit.finding->rule);
      entry.outcome = to_string(unit.finding->outcome);
    }
    entry.side_effects = side_effects(written);
    UnitReport& report = m_reports[written.unit];
    report.side_effects.insert(report.side_effects.end(), entry.side_effects.begin(), entry.side_effects.end());
    entry.change = std::move(written.change);
    outcome.entries.push_back(std::move(entry));
  }
  outcome.reports = std::move(m_reports);
  return outcome;
}

}  // namespace taskctl
