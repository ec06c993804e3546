#pragma once

#include <functional>
#include <map>
#include <optional>

#include "base/error.hpp"
#include "base/spool.hpp"
#include "engine/judge.hpp"
#include "model/finding.hpp"
#include "model/policy.hpp"
#include "model/selector.hpp"
#include "store/task_store.hpp"

namespace taskctl {

struct ListRequest {
  Selector selector;
  Policy policy;
  std::optional<Instant> now;  ///< --now
  bool include_fine = false;   ///< settling and healthy active tasks too
  bool only_tasks = false;     ///< nothing about rows beside the tasks
};

/// Counts of one listing. Only unfinished tasks are read, so terminal classes have no count here.
struct ListSummary {
  std::int64_t stuck = 0;  ///< findings that say the task is stuck (certain, probable, possible)
  std::int64_t fine = 0;   ///< active tasks with nothing wrong (settling ones included)
  std::int64_t settling = 0, clock = 0, unreadable = 0;
  std::int64_t repairable = 0;        ///< what plain reconcile would repair
  std::int64_t left_for_max_age = 0;  ///< possible findings that need --max-age
  std::int64_t undecided = 0;
  std::map<TaskClass, std::int64_t> stuck_by_class, fine_by_class;
  std::map<Rule, std::int64_t> by_rule;
  std::map<Certainty, std::int64_t> by_certainty;
};

/// One row of a listing; a healthy task carries only its Task, since, liveness and note.
struct ListItem {
  Finding finding;
  bool fine = false;
};

/// What was found, spooled: the database is not touched any more when this is returned.
struct Listing {
  Instant now{};
  ListSummary summary;
  Spool items;                        ///< encoded ListItem
  std::vector<std::string> warnings;  ///< suspect worker tables, lagging standby, accepted RLS
  void for_each(const std::function<void(const ListItem&)>& visit) const;
};

/// Gets each item as it is found, with what the liveness sources say of the task (nullptr for a row beside the tasks).
/// Must not use the store: its statement is still being read.
using ItemVisitor = std::function<void(ListItem&&, const LivenessVerdict*)>;

struct ScanResult {
  ListSummary summary;
  std::vector<std::string> warnings;  ///< as of a Listing
};
/// What list_stuck() finds, handed over one by one instead of spooled, in the caller's transaction. Memory stays flat.
ScanResult scan_tasks(TaskStore& store, const JudgeContext& context, const ListRequest& request,
                      const ItemVisitor& visit);

/// Reads findings in one short read transaction, or in the caller's when one is open. Works on a read-only connection.
Listing list_stuck(TaskStore& store, const ListRequest& request);

/// Everything about one task; nullopt when no row has the key.
struct TaskReport {
  TaskFacts facts;
  Judgement judgement;
  Instant now{};
};
std::optional<TaskReport> inspect_task(TaskStore& store, const TaskKey& key, const Policy& policy,
                                       std::optional<Instant> now);

/// Runs `read` again, once, when somebody held a lock: its transaction is over then and leaves nothing behind.
template <typename Read>
auto once_more_when_busy(const Read& read) {
  try {
    return read();
  } catch (const BusyError&) {
    return read();
  }
}

/// Builds the context that judge() needs, inside the caller's transaction.
JudgeContext read_judge_context(TaskStore& store, const Policy& policy, std::optional<Instant> now);

[[nodiscard]] std::string encode_item(const ListItem& item);
[[nodiscard]] ListItem decode_item(std::string_view bytes);

}  // namespace taskctl
