#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/task.hpp"

namespace taskctl {

/// Named ways in which rows can be wrong, strongest first: a finding carries the first that fired.
enum class Rule {
  contradiction,           ///< finished time on a queued or active task, or a class entry marked as contradiction
  result_over,             ///< active, and its first result row says that it is over
  cancel_requested,        ///< a cancel request older than the grace was not honoured
  missing_finished_time,   ///< terminal without a finished time (only where the profile enables it)
  cancel_overwritten,      ///< ended otherwise although its first result says cancelled (where the profile enables it)
  duplicate_result,        ///< over, with several result rows (only where the profile enables it)
  dead,                    ///< active, and its worker, lease or heartbeat is dead
  never_assigned,          ///< active without a worker where the system always assigns one
  overdue,                 ///< active, liveness unknown, older than the threshold
  waiting,                 ///< queued longer than the profile's threshold for queued tasks
  clock,                   ///< starts in the future: reported, never repaired
  unreadable,              ///< its time cannot be read: reported, never repaired
  attempts_over_limit,     ///< tried more often than its row allows (only where the profile enables it)
  started_after_finished,  ///< its start is later than its end (only where the profile enables it)
  bulk_finished,           ///< ended in the same instant as many others (only where the profile enables it)
  settling,                ///< would contradict itself but is too fresh: shown with --include-fine only
  // About rows beside the tasks, each only where the profile has an entry for it:
  claim_without_task,
  active_without_claim,
  result_without_task,
  worker_task_over,
  lock_of_ended_task,
  request_left_behind,
  accounts_wrong,  ///< a derived value is not what its tasks add up to
};
/// Those that a task's own facts decide.
inline constexpr auto k_task_rules =
    std::to_array<Rule>({Rule::contradiction, Rule::result_over, Rule::cancel_requested, Rule::missing_finished_time,
                         Rule::cancel_overwritten, Rule::duplicate_result, Rule::dead, Rule::never_assigned,
                         Rule::overdue, Rule::waiting, Rule::clock, Rule::unreadable, Rule::attempts_over_limit,
                         Rule::started_after_finished, Rule::bulk_finished, Rule::settling});
/// Those that a profile's [[invariant]] and [[derived]] entries decide, about any row.
inline constexpr auto k_row_rules = std::to_array<Rule>(
    {Rule::claim_without_task, Rule::active_without_claim, Rule::result_without_task, Rule::worker_task_over,
     Rule::lock_of_ended_task, Rule::request_left_behind, Rule::accounts_wrong});
/// All, strongest first.
inline constexpr auto k_rules = [] {
  std::array<Rule, k_task_rules.size() + k_row_rules.size()> all{};
  std::copy(k_row_rules.begin(), k_row_rules.end(), std::copy(k_task_rules.begin(), k_task_rules.end(), all.begin()));
  return all;
}();
[[nodiscard]] bool is_row_rule(Rule rule);

/// "missing-finished-time"; the code used on the command line, in profiles and in JSON.
[[nodiscard]] std::string_view to_string(Rule rule);
[[nodiscard]] std::optional<Rule> parse_rule(std::string_view text);

enum class Certainty { certain, probable, possible, none };
[[nodiscard]] std::string_view to_string(Certainty certainty);
[[nodiscard]] std::optional<Certainty> parse_certainty(std::string_view text);

/// What a repair makes of a task. undecided is shown and not repaired; unchanged is for findings that are only
/// reported; corrected and removed are what becomes of a row beside the tasks.
enum class Outcome {
  succeeded,
  failed,
  cancelled,
  requeued,
  parked,
  released,
  unchanged,
  undecided,
  corrected,
  removed
};
[[nodiscard]] std::string_view to_string(Outcome outcome);
[[nodiscard]] std::optional<Outcome> parse_outcome(std::string_view text);
/// One that people and profiles may choose for a task.
[[nodiscard]] constexpr bool is_choice(Outcome outcome) {
  return outcome <= Outcome::released;
}

/// Whether plain `reconcile` repairs the finding.
enum class Repair {
  yes,            ///< plain reconcile does it
  needs_max_age,  ///< only with --max-age on the command line (or a reap threshold)
  needs_outcome,  ///< undecided: only with --outcome
  hazard,         ///< a hazard stands in the way: only with --accept-hazard
  never,          ///< reported only
};
[[nodiscard]] std::string_view to_string(Repair repair);

/// One thing that was read and that speaks for the finding ("completed_at", "2025-… is set", "worker agents").
struct Evidence {
  std::string source;  ///< column, table or liveness source
  std::string text;    ///< a short sentence without full stop
};

/// Is the task's worker at work? unknown is neither.
enum class Liveness { alive, dead, unknown };
[[nodiscard]] std::string_view to_string(Liveness liveness);

/// A task, or a row beside the tasks, that is wrong. One per task: the strongest rule; others that fired stand in
/// `also`.
struct Finding {
  Task task;
  /// Of a row beside the tasks, as the profile names it; task.key is the row's key. Of a finding about many tasks: the
  /// tasks' table, and the key is the value that they share.
  std::optional<std::string> table;
  Rule rule = Rule::overdue;
  Certainty certainty = Certainty::none;
  Outcome outcome = Outcome::undecided;
  Repair repair = Repair::never;
  std::vector<Evidence> evidence;
  std::vector<Rule> also;
  std::vector<std::string> hazards;  ///< names of hazards that hold, accepted or not
  Liveness liveness = Liveness::unknown;
  std::optional<Instant> since;  ///< from when the age counts (start, or its fallback)
  std::string note;              ///< "the worker table itself is suspect: no worker is alive"; may be empty
  std::optional<std::string> request_reason;  ///< reason that stood in the cancel request
  std::optional<Instant> finished;            ///< when it ended, as the deciding evidence or else its row says
  std::optional<std::string> said;            ///< text of the deciding evidence, where it is to be the reason
};

/// How people name what is wrong: the task's key, or "table:key" of another row.
[[nodiscard]] std::string id_of(const Finding& finding);

/// Age of a finding at `now`; nullopt when nothing readable says since when.
[[nodiscard]] std::optional<Duration> age_of(const Finding& finding, Instant now);

}  // namespace taskctl
