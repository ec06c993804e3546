#include <algorithm>
#include <functional>
#include <set>

#include "base/error.hpp"
#include "engine/applier_check.hpp"
#include "engine/lister.hpp"
#include "engine/planner.hpp"
#include "engine/planner_parts.hpp"
#include "engine/row_identity.hpp"

namespace taskctl {

namespace {

const TableInfo& table_info(const Schema& schema, const TableName& name) {
  if (const TableInfo* table = find_table(schema, name)) {
    return *table;
  }
  throw Error{ExitCode::mismatch, "the run changed '" + name.display() + "', which is not there any more",
              "Give the profile that the run was made with."};
}

/// Columns that the undo sets: those that the run (or a trigger beside it) changed, without those that only the
/// database can write.
std::vector<std::string> columns_to_restore(const TableInfo& table, const Image& from, const Image& to) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < to.values.size(); ++i) {
    const std::string& column = to.columns->at(i);
    const Value* now = from.find(column);
    const ColumnInfo* info = table.find(column);
    if (info == nullptr || now == nullptr) {
      throw Error{ExitCode::mismatch, "table '" + table.name.display() + "' has no column '" + column + "' any more",
                  "The run cannot be undone: the table was altered since."};
    }
    if (!info->generated && *now != to.values[i]) {
      names.push_back(column);
    }
  }
  return names;
}

std::vector<std::string> columns_to_insert(const TableInfo& table, const Image& row) {
  std::vector<std::string> names;
  for (const std::string& column : *row.columns) {
    const ColumnInfo* info = table.find(column);
    if (info == nullptr || !info->generated) {
      names.push_back(column);
    }
  }
  return names;
}

/// The change that takes `done` back; nullopt when it changed nothing that could be written.
std::optional<Change> inverse_of(Change&& done, const Schema& schema) {
  const TableInfo& table = table_info(schema, done.table);
  Change undo{.operation = done.operation,
              .table = done.table,
              .key = done.key,
              .before = std::move(done.after),
              .after = std::move(done.before),
              .written = {}};
  switch (done.operation) {
    case Operation::update:
      undo.key = key_in(undo.table, *undo.before, done.key);
      undo.written = columns_to_restore(table, *undo.before, *undo.after);
      break;
    case Operation::insert:
      undo.operation = Operation::remove;
      break;
    case Operation::remove:
      undo.operation = Operation::insert;
      undo.written = columns_to_insert(table, *undo.after);
      break;
  }
  return undo.operation == Operation::update && undo.written.empty() ? std::nullopt : std::optional{std::move(undo)};
}

bool is_undone_already(const Change& undo, const std::optional<Image>& row) {
  return undo.after ? row && *row == *undo.after : !row;
}

/// How the row differs from what the run left; empty when it does not.
std::string changed_since(const Change& undo, const std::optional<Image>& row) {
  const std::string name = undo.table.display() + " " + undo.key.display();
  if (!undo.before) {
    return row ? name + " is there again" : "";
  }
  if (!row) {
    return name + " is gone";
  }
  return *row == *undo.before ? "" : name + ": " + describe_difference(*undo.before, *row);
}

class UndoPlanner {
 public:
  UndoPlanner(TaskStore& store, Plan& plan, const std::vector<std::string>& tasks)
      : m_store{store}, m_plan{plan}, m_wanted{tasks.begin(), tasks.end()} {}

  /// The journal is read to its end first: the rows cannot be read while it streams.
  void read(Journal& journal) {
    journal.read_changes(
        m_plan.undoes, [this](JournalEntry&& entry) { add(std::move(entry)); }, true);
    finish_unit();
  }

  void append_units() {
    std::vector<PlanUnit> chunk;
    m_units.for_each([&](std::string_view record) {
      chunk.push_back(decode_unit(record));
      if (chunk.size() == k_planner_chunk) {
        append_chunk(chunk);
        chunk.clear();
      }
    });
    append_chunk(chunk);
    for (const std::string& task : m_wanted) {
      if (m_seen.count(task) == 0) {
        m_plan.leave_out(
            {.task = task, .why = LeftOut::Why::unknown, .detail = "the run did not change it", .finding = {}});
      }
    }
  }

 private:
  void add(JournalEntry&& entry) {
    if (!m_wanted.empty() && m_wanted.count(entry.task) == 0) {
      return;
    }
    if (m_open && m_open->task != entry.task) {
      finish_unit();
    }
    if (!m_open) {
      m_open.emplace();
      m_open->task = entry.task;
    }
    if (!merge(entry.change)) {
      if (std::optional<Change> undo = inverse_of(std::move(entry.change), m_store.schema())) {
        m_open->changes.push_back(std::move(*undo));
      }
    }
  }

  /// A row that the unit updated several times is put back in one step: its rows are compared before any is written.
  bool merge(const Change& earlier) {
    if (earlier.operation != Operation::update) {
      return false;
    }
    for (Change& undo : m_open->changes) {
      if (undo.operation == Operation::update && undo.table == earlier.table && undo.after == earlier.after) {
        undo.after = earlier.before;
        undo.written = columns_to_restore(table_info(m_store.schema(), undo.table), *undo.before, *undo.after);
        return true;
      }
    }
    return false;
  }

  void finish_unit() {
    if (m_open) {
      if (!m_wanted.empty()) {
        m_seen.insert(m_open->task);
      }
      for (const Change& change : m_open->changes) {
        const std::size_t row = std::hash<std::string>{}(row_identity(change.table, change.key));
        if (!m_rows.insert(row).second) {
          m_repeated.insert(row);
        }
      }
      m_units.append(encode_unit(*m_open));
      m_open.reset();
    }
  }

  void append_chunk(std::vector<PlanUnit>& units) {
    RowReads reads;
    for (const PlanUnit& unit : units) {
      for (const Change& change : unit.changes) {
        reads.want(change.table, change.key);
      }
    }
    std::map<std::string, std::optional<Image>> rows;
    reads.read(m_store, false,
               [&rows](const std::string& identity, std::optional<Image>&& row) { rows[identity] = std::move(row); });
    for (const auto& [identity, row] : m_left) {
      if (const auto read = rows.find(identity); read != rows.end()) {
        read->second = row;
      }
    }
    for (PlanUnit& unit : units) {
      std::erase_if(unit.changes, [&rows](const Change& change) {
        return is_undone_already(change, rows.at(row_identity(change.table, change.key)));
      });
      if (unit.changes.empty()) {
        m_plan.leave_out({.task = unit.task,
                          .why = LeftOut::Why::nothing_to_do,
                          .detail = "its rows are already as before the run",
                          .finding = {}});
      } else if (std::string detail = difference_of(unit, rows); !detail.empty()) {
        m_plan.leave_out(
            {.task = unit.task, .why = LeftOut::Why::changed_since, .detail = std::move(detail), .finding = {}});
      } else {
        m_plan.append(unit);
        leave(unit, rows);
      }
    }
  }

  /// An older unit of the run meets the rows of this one as this one leaves them.
  void leave(const PlanUnit& unit, std::map<std::string, std::optional<Image>>& rows) {
    for (const Change& change : unit.changes) {
      const std::string identity = row_identity(change.table, change.key);
      rows[identity] = change.after;
      if (m_repeated.count(std::hash<std::string>{}(identity)) > 0) {
        m_left[identity] = change.after;
      }
    }
  }

  static std::string difference_of(const PlanUnit& unit, const std::map<std::string, std::optional<Image>>& rows) {
    for (const Change& change : unit.changes) {
      std::string detail = changed_since(change, rows.at(row_identity(change.table, change.key)));
      if (!detail.empty()) {
        return detail;
      }
    }
    return {};
  }

  TaskStore& m_store;
  Plan& m_plan;
  std::set<std::string> m_wanted, m_seen;
  std::set<std::size_t> m_rows, m_repeated;            ///< hashes of the rows that units change, and that several do
  std::map<std::string, std::optional<Image>> m_left;  ///< such rows as the plan leaves them so far
  std::optional<PlanUnit> m_open;
  Spool m_units;
};

RunRecord require_run(Journal& journal, const std::string& id, const Profile& profile) {
  std::optional<RunRecord> run = journal.find_run(id);
  if (!run) {
    throw Error{ExitCode::failed, "the journal has no run '" + id + "'", "See 'taskctl history' for the runs."};
  }
  if (run->profile != profile.name) {
    throw Error{ExitCode::mismatch,
                "run '" + run->id + "' was made with profile '" + run->profile + "', not '" + profile.name + "'",
                "Give --profile " + run->profile + "."};
  }
  return *std::move(run);
}

Plan read_undo_plan(TaskStore& store, Journal& journal, const UndoRequest& request) {
  Plan plan = start_plan(store, "undo");
  plan.selector.ids = request.tasks;
  Transaction transaction{store.connection(), Access::read};
  plan.now = store.connection().now();
  plan.undoes = require_run(journal, request.run, store.profile()).id;
  UndoPlanner planner{store, plan, request.tasks};
  planner.read(journal);
  planner.append_units();
  end_plan(plan, store);
  transaction.commit();
  return plan;
}

}  // namespace

Plan plan_undo(TaskStore& store, Journal& journal, const UndoRequest& request) {
  return once_more_when_busy([&] { return read_undo_plan(store, journal, request); });
}

}  // namespace taskctl
