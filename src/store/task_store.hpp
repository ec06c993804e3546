#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/change.hpp"
#include "profile/profile.hpp"
#include "sql/render.hpp"
#include "store/connection.hpp"
#include "store/sightings.hpp"

namespace taskctl {

/// Workers known to one [[liveness]] table.
struct WorkerCensus {
  std::size_t known = 0;
  std::size_t alive = 0;
  bool rows_hidden = false;  ///< row-level security applies: a worker without a row may be at work all the same
  /// Two or more are known and none is alive: then the source, not every worker, is what is likely to be wrong.
  [[nodiscard]] bool suspect() const { return rows_hidden || (known >= 2 && alive == 0); }
  /// Nobody alive stands in it: it may have been emptied, and then a worker without a row says nothing.
  [[nodiscard]] bool missing_is_suspect() const { return rows_hidden || alive == 0; }
};

struct StatusCount {
  std::optional<std::string> status;
  std::optional<TaskClass> task_class;  ///< nullopt: unmapped
  std::int64_t count = 0;
};

/// Tasks that ended in the same instant.
struct FinishedTogether {
  TimeFact at;
  std::string text;  ///< the value as the database prints it
  std::int64_t count = 0;
};

/// A row that a [[invariant]] calls wrong, or a row of a [[derived]] table.
struct RuleRow {
  TaskKey key;                   ///< the row's
  TimeFact since;                ///< absent when the rule names no time
  Image image;                   ///< all columns
  std::optional<Change> change;  ///< by the rule's operation; `written` is empty when nothing would change
};

/// The only door to the task tables. Every method is one statement (or a few) in the caller's transaction.
class TaskStore {
 public:
  TaskStore(Connection& connection, const Profile& profile, const Schema& schema);

  /// From now on active tasks that are not read briefly get their fingerprint and when they were first seen. For
  /// profiles that count that; must outlive the store.
  void watch(Sightings& sightings) { m_sightings = &sightings; }
  /// Why that is not known; empty: it is, or nobody wants to know.
  [[nodiscard]] std::string sightings_problem() const { return m_sightings == nullptr ? "" : m_sightings->problem(); }

  /// Facts of the rows that `request` names, in no particular order. by_key: missing rows are left out.
  /// More than 500 keys are read in several statements. One row per key: `has_twin` where there are more.
  void read_facts(const FactsRequest& request, const std::function<void(TaskFacts&&)>& sink);

  /// Fills evidence[source] of every task: what that [[evidence]] entry says of it.
  void read_evidence(std::size_t source, std::span<TaskFacts* const> tasks);

  /// Rows of the worker tables: source by its position, worker, heartbeat. With a name, that worker's only.
  using WorkerSink = std::function<void(std::size_t source, const std::string& worker, const TimeFact& heartbeat)>;
  void read_worker_rows(const std::optional<std::string>& name, const WorkerSink& sink);

  /// One entry per [[liveness]] source, in order; sources that are not worker tables have {0, 0}.
  std::vector<WorkerCensus> read_workers(Instant now);

  [[nodiscard]] bool has_rows(const std::string& table);

  /// Finished times that as many tasks share as the profile calls too many; with `key` only the one of that task.
  std::vector<FinishedTogether> read_finished_together(const std::optional<TaskKey>& key);

  /// The changes that `operations` would make for each task, one list per input, in order. Reads only.
  /// Columns whose value would stay are not in `written`; an update that changes nothing is left out.
  std::vector<std::vector<Change>> evaluate(const OperationList& operations, std::span<const EvaluationInput> tasks,
                                            Instant now);

  /// Rows of the request's rule. Reads only; with `lock`, rows that somebody else holds are left out.
  void read_rule_rows(const RowRuleRequest& request, const std::function<void(RuleRow&&)>& sink);

  /// Rows as they are now; nullopt where a row is missing or (with lock) held by somebody else.
  std::vector<std::optional<Image>> read_rows(const TableName& table, std::span<const RowKey> keys, bool lock);

  /// Writes one change; returns the rows affected (0 or 1). For an insert, fills the key it got.
  std::int64_t write(Change& change);

  /// Writes updates of one table with the same `written` and key columns by one statement; returns the rows affected.
  /// Worth it, and possible, where a statement is a round trip: PostgreSQL.
  std::int64_t update_together(std::span<const Change* const> changes);

  std::vector<StatusCount> status_counts();

  /// SQLite: a key column without a type holds 1 and '1' side by side, two rows with one id. PostgreSQL: two partitions
  /// may have the same id.
  [[nodiscard]] bool ids_may_be_shared() const;

  [[nodiscard]] Connection& connection() { return m_connection; }
  [[nodiscard]] const Profile& profile() const { return m_profile; }
  [[nodiscard]] const Schema& schema() const { return m_schema; }

 private:
  void read_facts_by_key(const FactsRequest& request, const std::function<void(TaskFacts&&)>& sink);
  [[nodiscard]] FactsRequest frame_of(const FactsRequest& request) const;

  Connection& m_connection;
  const Profile& m_profile;
  const Schema& m_schema;
  Dialect m_dialect;
  Sightings* m_sightings = nullptr;
};

}  // namespace taskctl
