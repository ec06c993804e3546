#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/applier_check.hpp"
#include "engine/judge.hpp"
#include "engine/plan.hpp"
#include "model/run.hpp"
#include "store/task_store.hpp"

namespace taskctl {

/// What a failing unit takes with it.
enum class Isolation {
  together,  ///< the whole transaction: quicker, and nearly always enough
  per_unit,  ///< only itself, by a savepoint
};

/// A unit that had begun to write cannot be finished.
class UnitFailure : public std::runtime_error {
 public:
  explicit UnitFailure(const std::string& detail) : std::runtime_error{detail} {}
};

/// Whether the rows of a batch are locked for the one that reads them.
enum class Locking {
  taken,  ///< what is written must not change under our hands
  none,   ///< only to look, on a connection that cannot write
};

struct BatchOutcome {
  std::vector<UnitReport> reports;    ///< one per unit, in order
  std::vector<JournalEntry> entries;  ///< of applied units; sequence and time are the caller's
};

/// Takes the units of one batch through one transaction that the caller has begun and will end.
/// prepare() locks and judges, write() writes and re-reads. With Isolation::together a failing unit lets write() throw
/// (ConstraintError, BusyError, UnitFailure) and the caller rolls back; with per_unit it is reported.
/// With Locking::none, check() instead of write() tells what would not be written.
class BatchWriter {
 public:
  /// `first` is the position of units[0] in the plan.
  BatchWriter(TaskStore& store, const Plan& plan, std::span<const PlanUnit> units, std::size_t first,
              Isolation isolation, Locking locking = Locking::taken);

  void prepare();
  BatchOutcome write();
  /// After prepare(): why a unit, by its position in the batch, would not be written. Derived rows and units that
  /// depend on others are compared with their before-images only: what they follow from is not written yet.
  std::map<std::size_t, Refusal> check();

 private:
  /// A change that was written, until its journal entry is made.
  struct Written {
    std::size_t unit = 0;
    Change change;                  ///< before: the row just before this write
    std::optional<Image> expected;  ///< the row as it should be now; absent for a delete
  };

  void read_tasks();
  void check_tasks();
  void read_rows();
  [[nodiscard]] const Image* own_row(const PlanUnit& unit, const Change& change) const;
  void find_holders(const std::vector<const Change*>& missing);
  void refresh(const PlanUnit& unit);
  void refuse(std::size_t index, Refusal refusal);
  [[nodiscard]] bool waits(const PlanUnit& unit) const;
  [[nodiscard]] std::optional<Refusal> difference(const PlanUnit& unit);
  [[nodiscard]] std::optional<Refusal> recheck(const PlanUnit& unit);
  void pretend(const PlanUnit& unit);
  void write_apart(std::size_t index);
  void write_changes(std::size_t index);
  void write_change(std::size_t index, const Change& planned);
  [[nodiscard]] bool can_wait(const Change& change) const;
  void write_waiting();
  void confirm();
  [[nodiscard]] std::vector<SideEffect> side_effects(const Written& written) const;
  BatchOutcome take_outcome();

  TaskStore& m_store;
  const Plan& m_plan;
  std::span<const PlanUnit> m_units;
  std::size_t m_first;
  Isolation m_isolation;
  bool m_lock;
  bool m_triggers = false;  ///< a table that is written has triggers: rows may change under our own hands

  std::map<TaskKey, TaskFacts> m_facts;
  std::set<TaskKey> m_held_tasks;  ///< there, but locked by somebody else
  std::vector<UnitReport> m_reports;
  std::vector<bool> m_open;                            ///< units that are still to be written
  std::set<std::size_t> m_gone;                        ///< units whose own row is missing
  std::map<std::string, std::optional<Image>> m_rows;  ///< by row_identity(): as they are now
  std::set<std::string> m_held_rows;
  std::vector<Written> m_written;
  std::vector<std::size_t> m_waiting;   ///< of m_written: not sent yet, updates that go together
  std::size_t m_confirmed = 0;          ///< so many of m_written were re-read
  std::set<std::string> m_unconfirmed;  ///< identities of the others
};

}  // namespace taskctl
