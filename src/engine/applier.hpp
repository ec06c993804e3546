#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/stop.hpp"
#include "engine/plan.hpp"
#include "model/run.hpp"
#include "store/journal.hpp"
#include "store/run_lock.hpp"
#include "store/task_store.hpp"

namespace taskctl {

inline constexpr std::size_t k_strict_units = 10'000;

struct ApplyProgress {
  std::size_t done = 0, total = 0;
  std::size_t batch_size = 0;
  std::string pause;  ///< why nothing happens at the moment; empty while batches run
};

struct ApplyOptions {
  std::size_t batch_size = 0;  ///< 0: sized by time, see BatchSizer
  bool count_statuses = true;  ///< false: ApplyResult::status_after stays empty
  const StopSource* stop = nullptr;
  const Clock* clock = nullptr;
  RunLock* lock = nullptr;  ///< checked in every batch
  /// All units in one transaction, or none: one that cannot be applied as planned refuses all. More units than
  /// k_strict_units throw Error{refused}: so long a transaction would keep the application waiting.
  bool strict = false;
  Duration busy_wait{};  ///< a table or file that stays locked this long is not tried again; 0: three times
  /// How long a lost connection (Reconnectable) is waited for, each time; 0: it ends the run, unless a COMMIT was not
  /// answered, which is looked up anyway. It is in doubt only when nobody answers.
  Duration reconnect_wait{};
  std::string target_words;  ///< how commands that are to be typed next name the target: " --db tasks.db"
  std::function<void(const ApplyProgress&)> progress;
  Duration sleep{};  ///< after every batch but the last, once it is committed
  /// Asked before every batch and during a sleep: why no further batch is to begin. Empty: go on.
  std::function<std::string()> why_stop;
};

struct ApplyResult {
  RunRecord run;                           ///< counts filled
  std::vector<UnitReport> reports;         ///< every unit that was not applied, and applied ones with side effects
  std::vector<std::string> applied;        ///< task texts of applied units (for cancel's answer); at most 10,000
  std::int64_t applied_before = 0;         ///< of run.applied: before this process made the run go on
  bool stopped = false;                    ///< a signal came, or why_stop said so: what is done is durable
  std::string stop_reason;                 ///< what why_stop said
  std::map<std::string, Duration> pauses;  ///< how long the run waited, by why
  std::string failure;         ///< why nothing more was tried after the first commit; empty: nothing ended the run
  std::int64_t not_tried = 0;  ///< units that were left as they are because of it; they have no report
  bool refused_all = false;    ///< strict: nothing was written, the reports say because of which units
  bool locked_out = false;     ///< not single rows but the table or the file was locked: the rest was not tried
  std::map<std::string, std::int64_t> status_after;
  std::vector<std::string> warnings;  ///< what went wrong after the last commit, why nothing more was tried
};

/// Applies a plan in guarded, journalled batches. For each batch one transaction: lock the rows, judge again (the
/// finding's rule, liveness and clock included), compare before-images, write, re-read, journal, commit. The run's row
/// is inserted by the first batch that writes something: a run without changes leaves no row. A run that
/// is in the journal already is continued (a re-plan): its changes are numbered on, its counts go on from `run`'s.
class Applier {
 public:
  Applier(TaskStore& store, Journal& journal, ApplyOptions options);
  /// Throws before the first commit; afterwards failures end up in the result (or InDoubtError).
  ApplyResult apply(const Plan& plan, RunRecord run);

 private:
  class Batches;
  TaskStore& m_store;
  Journal& m_journal;
  ApplyOptions m_options;
};

/// A run id for `now`: sorts by time, unique by 6 random hex digits.
[[nodiscard]] std::string new_run_id(Instant now);

}  // namespace taskctl
