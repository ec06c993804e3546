#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/lister.hpp"
#include "engine/plan.hpp"
#include "store/journal.hpp"
#include "store/task_store.hpp"

namespace taskctl {

struct ReconcileRequest {
  Selector selector;
  Policy policy;
  std::optional<Instant> now;
  std::string reason;
  std::optional<std::size_t> limit;  ///< at most this many tasks; the rest is counted in Plan::remaining
  std::set<std::string> applied;     ///< tasks that the run which is resumed has changed: they are left alone
};
/// Plans the repair of what list_stuck() finds: the same judge on the same facts. Reads in short transactions, writes
/// nothing.
Plan plan_reconcile(TaskStore& store, const ReconcileRequest& request);

struct CancelRequest {
  std::vector<TaskKey> keys;  ///< in the order given; duplicates count once
  /// Instead of keys: every unfinished task that it matches. Must say something, or policy.max_age_given must hold.
  std::optional<Selector> selector;
  std::vector<std::string> rows;  ///< ids of derived rows to be worked out again, of a plan that is made again
  bool force = false;             ///< active tasks too
  Policy policy;  ///< max_age_given: of the selected tasks only those that are at least max_age old; those of unknown
                  ///< age are left alone
  std::optional<Instant> now;
  std::string reason;
};
/// Plans ending the named or selected tasks; a request that neither names nor selects plans nothing. Ended, already
/// over, unknown and refused ones stand in Plan::left_out.
Plan plan_cancel(TaskStore& store, const CancelRequest& request);

struct ReleaseRequest {
  std::string worker;
  bool force = false;  ///< a person says that it is dead; needed where nothing that can be trusted does
  Policy policy;
  std::optional<Instant> now;
  std::string reason;
  std::vector<std::string> ids;  ///< of a plan that is made again: only these tasks and derived rows; empty: all
};
struct ReleasePlan {
  Plan plan;
  bool known = false;        ///< a worker table, an account or some task names the worker
  LivenessVerdict liveness;  ///< of the worker: when it is alive, or dead by no source that can be trusted and not
                             ///< forced, the plan is empty and its tasks stand in left_out
  std::int64_t held = 0;     ///< active tasks that name it
};
/// Plans ending everything that a dead worker holds, and putting right what is accounted to it. The same judge and
/// operations as plan_reconcile(). Throws Error{usage} when the profile does not say which worker has a task.
ReleasePlan plan_release(TaskStore& store, const ReleaseRequest& request);

struct UndoRequest {
  std::string run;                 ///< full id
  std::vector<std::string> tasks;  ///< only these tasks (--id); empty: all
};
/// Plans taking a run back from its journal: newest change first, every column that the run changed. Rows that
/// already are as before the run are left out (nothing_to_do).
Plan plan_undo(TaskStore& store, Journal& journal, const UndoRequest& request);

/// What is left of a run that was stopped or killed: planned afresh from what it was asked to do (`request`: its plan,
/// units do not matter), without the tasks that it has changed. `left`: at most so many tasks.
Plan plan_rest(TaskStore& store, Journal& journal, const Plan& request, const std::string& run,
               std::optional<std::size_t> left);
/// The same of a saved plan: its units as they are, without those that the run has changed.
Plan rest_of(const Plan& plan, const std::set<std::string>& applied);

/// Re-plans the units that ended in conflict or busy, once: the tasks by key, with the plan's own request.
Plan replan(TaskStore& store, const Plan& plan, const std::vector<std::string>& tasks);

}  // namespace taskctl
