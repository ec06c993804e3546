#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/spool.hpp"
#include "engine/judge.hpp"
#include "model/policy.hpp"
#include "store/task_store.hpp"

namespace taskctl {

/// One column of a [[derived]] row that belongs to a worker.
struct WorkerAccount {
  std::string table;
  std::string column;
  Value allocated;  ///< what the row holds
  Value real;       ///< what its tasks add up to
  bool right = true;
};

/// What is known of one worker.
struct WorkerInfo {
  std::string name;
  LivenessVerdict liveness;
  bool registered = false;           ///< a worker table has a row for it
  std::optional<Instant> heartbeat;  ///< newest readable one, of its rows or of the tasks that it holds
  std::int64_t held = 0;             ///< active tasks that name it
  std::int64_t stuck = 0;            ///< those of them that list_stuck() calls stuck
  std::optional<Instant> oldest;     ///< since when it has held the one that it has held longest, where that is known
  std::vector<WorkerAccount> accounts;
  std::vector<std::string> first_ids;   ///< ids of the first k_first_ids tasks read
  std::vector<std::uint64_t> more_ids;  ///< positions of the others, in pieces, in WorkerSurvey::ids
  std::vector<std::string> open_ids;    ///< the piece that is not full yet

  static constexpr std::size_t k_first_ids = 5;
};

/// Every worker of one snapshot. Memory grows with the number of workers, not with that of tasks.
struct WorkerSurvey {
  Instant now{};
  std::map<std::string, WorkerInfo> workers;  ///< by name
  std::int64_t unassigned = 0;                ///< active tasks that name no worker
  std::vector<std::string> warnings;
  Spool ids;

  /// Ids of the tasks that the worker holds, in no particular order.
  void for_each_id(const WorkerInfo& worker, const std::function<void(const std::string&)>& visit) const;
};

struct WorkerRequest {
  std::vector<std::string> names;  ///< only these; empty: all
  Policy policy;
  std::optional<Instant> now;  ///< --now
};

/// Every worker that a worker table, a derived account or an active task names. One short read transaction, or the
/// caller's when one is open. Throws Error{usage} when the profile does not say which worker has a task.
WorkerSurvey survey_workers(TaskStore& store, const WorkerRequest& request);

/// Throws Error{usage} when the profile does not say which worker has a task.
void require_workers(const Profile& profile);

/// One worker's rows in the worker tables: one fact per [[liveness]] source.
struct WorkerRows {
  std::vector<LivenessFact> facts;
  bool found = false;  ///< in any of them
};
[[nodiscard]] WorkerRows read_worker(TaskStore& store, const std::string& name);

/// What speaks for one worker's life: its own rows, and the tasks that it holds.
class WorkerWitness {
 public:
  /// `rows`: one per [[liveness]] source, as the worker tables have it.
  WorkerWitness(const std::string& name, std::vector<LivenessFact> rows, const JudgeContext& context);
  /// What the sources say of one task that it holds.
  void hear(const TaskKey& task, const LivenessVerdict& verdict);
  [[nodiscard]] LivenessVerdict verdict() const;

 private:
  LivenessVerdict m_said;
};

/// Judges one worker now, in the caller's transaction: by its rows, read afresh, and by these tasks of its.
LivenessVerdict judge_worker(TaskStore& store, const std::string& name, const JudgeContext& context,
                             std::span<TaskFacts* const> tasks);

/// What the sources say, joined: "agents: worker w1: last_ping_at 3h ago, more than 2m". Only those that say `wanted`.
[[nodiscard]] std::string liveness_words(const LivenessVerdict& verdict, Liveness wanted);

}  // namespace taskctl
