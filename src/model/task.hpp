#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "model/value.hpp"

namespace taskctl {

/// What a native status means. parked waits for a person and is never reaped; the last three are terminal.
enum class TaskClass { queued, active, parked, succeeded, failed, cancelled };
inline constexpr auto k_task_classes =
    std::to_array<TaskClass>({TaskClass::queued, TaskClass::active, TaskClass::parked, TaskClass::succeeded,
                              TaskClass::failed, TaskClass::cancelled});

[[nodiscard]] std::string_view to_string(TaskClass task_class);
[[nodiscard]] std::optional<TaskClass> parse_task_class(std::string_view text);
[[nodiscard]] constexpr bool is_terminal(TaskClass c) {
  return c >= TaskClass::succeeded;
}

/// A time column as read: absent (NULL), known, or unreadable (something is there that no declared
/// encoding fits; `raw` shows it). Unreadable is never treated as old.
struct TimeFact {
  enum class State { absent, known, unreadable };
  State state = State::absent;
  Instant at{};
  std::string raw;

  [[nodiscard]] bool known() const { return state == State::known; }
  [[nodiscard]] bool absent() const { return state == State::absent; }
  [[nodiscard]] bool unreadable() const { return state == State::unreadable; }
};

/// The times of a task that a profile can name.
struct TaskTimes {
  TimeFact created, started, finished, updated, heartbeat, lease, claimed;
  /// Not of the row: when taskctl first saw the task active and as it is now. Absent where the profile does not name
  /// it, or nobody looked.
  TimeFact first_seen;
};

/// One unit of work as its row says. Optional texts are nullopt when the profile names no source or the row has NULL.
struct Task {
  TaskKey key;
  std::optional<std::string> status;    ///< native
  std::optional<TaskClass> task_class;  ///< nullopt: the profile does not map this status
  std::optional<std::string> kind, worker, queue, user, error;
  std::optional<std::int64_t> attempts_used, attempts_limit;
  TaskTimes times;
  std::string fingerprint;  ///< of the row, for times.first_seen; empty where the profile does not name that
};

/// What one liveness source of the profile says about one task, as read and not yet judged.
struct LivenessFact {
  bool row_found = false;              ///< worker table: it has a row for this worker
  TimeFact heartbeat;                  ///< of that row
  std::optional<std::string> verdict;  ///< `source = "sql"`: alive, dead or nothing
};

/// A pending request to cancel this task.
struct CancelRequestFact {
  bool present = false;
  TimeFact requested;
  std::optional<std::string> reason;
};

/// What one [[evidence]] entry says of one task: the first row, by the profile's order, that a pattern fits. Only that
/// one is kept, whatever the table holds.
struct EvidenceFact {
  bool read = false;                   ///< it was asked
  std::string problem;                 ///< why it cannot tell ("the role may not read it"); empty: it can
  bool several = false;                ///< result: the task has more than one row
  std::optional<std::size_t> pattern;  ///< position of the pattern that fits; none: it says nothing
  std::string row;                     ///< "id=9012"
  std::string excerpt;                 ///< a short piece of the text around what fits
  std::string text;                    ///< the row's text without blanks around it, not more than a few KiB
  TimeFact finished;                   ///< result: its time
};

/// Everything that decides about a task, read in one statement. Pure input of the judge.
struct TaskFacts {
  Task task;
  std::size_t class_rule = 0;          ///< position of the [[class]] entry that mapped the status
  std::vector<LivenessFact> liveness;  ///< one per [[liveness]] entry of the profile, same order
  CancelRequestFact cancel_request;
  std::vector<bool> hazards;  ///< one per [[hazard]] entry
  /// Attempts used once the task is requeued; nullopt: as many as now, or nobody can tell before.
  std::optional<std::int64_t> attempts_requeued;
  std::vector<EvidenceFact> evidence;  ///< one per [[evidence]] entry; empty until it is asked for
  std::optional<Image> image;          ///< all columns, when asked for
  bool has_twin = false;               ///< by key: another row answers to the same id, and this is one of the two
  /// Tasks with the very same finished time, this one included, when they are as many as the profile says.
  std::int64_t finished_together = 0;
};

}  // namespace taskctl
