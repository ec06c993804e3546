#include "engine/applier.hpp"

#include <algorithm>
#include <optional>
#include <random>
#include <thread>

#include "base/error.hpp"
#include "engine/applier_batch.hpp"
#include "engine/batch_sizer.hpp"
#include "engine/plan_check.hpp"
#include "engine/planner_parts.hpp"
#include "engine/recovery.hpp"
#include "store/batching.hpp"
#include "store/guard_switch.hpp"

namespace taskctl {

namespace {

constexpr int k_retries = 3;
constexpr std::chrono::milliseconds k_first_pause{50};
constexpr std::size_t k_applied_kept = 10'000;
/// For a write of others to come, right behind which the next batch follows.
constexpr Duration k_longest_await = std::chrono::milliseconds{10};
constexpr const char* k_for_others = "others who write";
constexpr std::chrono::seconds k_told_room{1};  ///< less in sum is not worth a word

/// 50, 100, 200 ms and up to as much again, so that two who collide do not collide again.
std::chrono::milliseconds retry_pause(int attempt) {
  static std::minstd_rand generator{std::random_device{}()};
  const auto pause = k_first_pause * (1 << attempt);
  std::uniform_int_distribution<std::int64_t> jitter{0, pause.count()};
  return pause + std::chrono::milliseconds{jitter(generator)};
}

bool is_incomplete(const BatchOutcome& outcome) {
  return std::ranges::any_of(outcome.reports,
                             [](const UnitReport& report) { return report.result != UnitResult::applied; });
}

}  // namespace

/// One application of one plan.
class Applier::Batches {
 public:
  Batches(TaskStore& store, Journal& journal, const ApplyOptions& options, const Plan& plan, RunRecord run)
      : m_store{store},
        m_connection{store.connection()},
        m_batching{dynamic_cast<Batching*>(&store.connection())},
        m_journal{journal},
        m_options{options},
        m_clock{options.clock == nullptr ? system_clock() : *options.clock},
        m_plan{plan},
        m_sizer{store.connection().engine(), options.batch_size},
        m_recovery{store.connection(), journal, options.lock, options.reconnect_wait, m_clock, [this](Duration pause) {
                     pause_for(pause, "a lost connection", m_reported);
                     return !m_failed && !must_stop();
                   }} {
    m_result.run = std::move(run);
  }

  ApplyResult run() {
    require_same_target(m_plan, m_store);
    if (m_options.strict) {
      require_strict_size(m_plan.size());
    }
    if (!m_plan.empty()) {
      m_journal.create();
      continue_run();
    }
    set_batching(true);
    apply_all();
    finish();
    return std::move(m_result);
  }

 private:
  using Units = std::span<const PlanUnit>;
  /// COMMIT was lost with its session; there is a new one.
  struct RolledBack {};

  /// A re-plan goes on with the run of the plan before it.
  void continue_run() {
    const std::optional<RunRecord> known = m_journal.find_run(m_result.run.id);
    m_in_journal = known && known->id == m_result.run.id;
    m_sequence = m_in_journal ? m_journal.last_sequence(m_result.run.id) : 0;
  }

  void apply_all() {
    std::size_t begin = 0;
    try {
      while (begin < m_plan.size() && !must_stop()) {
        const std::size_t end = m_options.strict ? m_plan.size() : m_plan.batch_end(begin, m_sizer.size());
        apply_batch(begin, end);
        if (!m_result.stopped) {
          begin = end;
          report_progress(end);
          rest(end);
        }
      }
    } catch (const InDoubtError& error) {
      if (!error.hint().empty()) {
        throw;
      }
      throw InDoubtError{
          error.message(),
          "Whether the last batch of run '" + m_result.run.id +
              "' was committed is unknown; this lists what was, once the database answers: taskctl history show " +
              m_result.run.id + m_options.target_words};
    } catch (const Error& error) {
      if (!m_in_journal) {
        throw;
      }
      if (!error.hint().empty()) {
        m_result.warnings.push_back("nothing more was tried: " + error.hint());
      }
      fail_from(begin, error.message());
    } catch (const std::exception& error) {
      if (!m_in_journal) {
        throw;
      }
      fail_from(begin, error.what());
    }
  }

  bool must_stop() {
    if (!m_result.stopped && m_options.why_stop) {
      m_result.stop_reason = m_options.why_stop();
    }
    m_result.stopped =
        m_result.stopped || !m_result.stop_reason.empty() || (m_options.stop != nullptr && m_options.stop->requested());
    return m_result.stopped;
  }

  void report_progress(std::size_t done, const std::string& pause = {}) const {
    if (m_options.progress) {
      m_options.progress({.done = done, .total = m_plan.size(), .batch_size = m_sizer.size(), .pause = pause});
    }
  }

  /// No transaction is open. A stop ends it at once.
  void rest(std::size_t done) {
    if (done >= m_plan.size()) {
      return;
    }
    if (m_options.sleep > Duration::zero()) {
      pause_for(m_options.sleep, "--sleep", done);
    } else if (m_sizer.is_shared()) {
      pause_for(m_sizer.room(), k_for_others);
      if (m_batching != nullptr) {
        const auto begin = m_clock.steady();
        m_batching->await_write(k_longest_await);
        m_result.pauses[k_for_others] += std::chrono::duration_cast<Duration>(m_clock.steady() - begin);
      }
    }
  }

  void pause_for(Duration length, const std::string& why, std::optional<std::size_t> done = {}) {
    constexpr Duration k_slice = std::chrono::milliseconds{50};  // a signal is answered within 100 ms
    const auto begin = m_clock.steady();
    if (done) {
      report_progress(*done, why);
    }
    const auto spent = [&] { return std::chrono::duration_cast<Duration>(m_clock.steady() - begin); };
    while (spent() < length && !must_stop()) {
      std::this_thread::sleep_for(std::min(k_slice, length - spent()));
    }
    m_result.pauses[why] += spent();
  }

  void apply_batch(std::size_t begin, std::size_t end) {
    std::vector<PlanUnit> units;
    units.reserve(end - begin);
    for (std::size_t i = begin; i < end; ++i) {
      units.push_back(m_plan.unit(i));
    }
    m_reported = begin;
    if (m_locked_out.empty()) {
      apply_units(units, begin, Isolation::together);
    } else {
      report_all(units, UnitResult::busy, m_locked_out);
    }
  }

  /// Tries until the batch is committed, its units are known to be busy or broken, or a stop comes.
  void apply_units(Units units, std::size_t first, Isolation isolation) {
    const auto begin = m_clock.steady();
    for (int attempt = 0;;) {
      m_writing = false;
      try {
        attempt_units(units, first, isolation);
        return;
      } catch (const InterruptedError&) {
        if (!must_stop()) {
          throw;
        }
        return;
      } catch (const RolledBack&) {
        if (must_stop()) {
          return;
        }
      } catch (const ConnectionLostError& error) {
        // Before COMMIT: the batch did not happen.
        m_recovery.recover(error, committed());
        if (must_stop()) {
          return;
        }
      } catch (const BusyError& error) {
        m_sizer.was_busy();
        const bool waited = m_options.busy_wait > Duration::zero() && m_clock.steady() - begin >= m_options.busy_wait;
        if (attempt == k_retries || (waited && !m_writing)) {
          give_up_busy(units, error);
          return;
        }
        pause_for(retry_pause(attempt++), "locks of others", m_reported);
        if (must_stop()) {
          return;
        }
        // A row that somebody holds stops only its own unit the last time.
        isolation = m_writing && attempt == k_retries ? Isolation::per_unit : isolation;
      } catch (const ConstraintError& error) {
        if (isolation == Isolation::per_unit) {
          apply_apart(units, first, error.message());
          return;
        }
        isolation = Isolation::per_unit;
      } catch (const UnitFailure&) {
        if (isolation == Isolation::per_unit) {
          throw;
        }
        isolation = Isolation::per_unit;
      }
    }
  }

  /// COMMIT itself was refused (a deferred constraint): only a transaction per unit tells whose fault it is.
  void apply_apart(Units units, std::size_t first, const std::string& message) {
    const std::size_t last = first + units.size();
    if (m_options.strict || m_plan.batch_end(first, 1) >= last) {
      report_all(units, UnitResult::failed, message);
      return;
    }
    for (std::size_t begin = first; begin < last && !must_stop();) {
      const std::size_t end = std::min(last, m_plan.batch_end(begin, 1));
      apply_units(units.subspan(begin - first, end - begin), begin, Isolation::per_unit);
      begin = end;
    }
  }

  void attempt_units(Units units, std::size_t first, Isolation isolation) {
    Transaction transaction{m_connection, Access::write};
    const auto started = m_clock.steady();  // not before: others wait from here on
    if (m_options.lock != nullptr) {
      m_options.lock->check();  // within: a pool may give every transaction another session
    }
    GuardSwitch guards{m_connection};
    BatchWriter writer{m_store, m_plan, units, first, isolation};
    writer.prepare();
    m_writing = true;
    BatchOutcome outcome = writer.write();
    if (m_options.strict && is_incomplete(outcome)) {
      refuse_all(std::move(outcome.reports));
      return;
    }
    if (!outcome.entries.empty()) {
      journal(outcome.entries);
      guards.resume();
      const std::int64_t last = m_sequence + static_cast<std::int64_t>(outcome.entries.size());
      commit(transaction, last);
      m_in_journal = true;
      m_sequence = last;
      m_recovery.made_progress();
    }
    if (m_options.sleep == Duration::zero()) {  // which says itself how much room others get
      m_sizer.noticed(!outcome.entries.empty() && m_connection.others_write(), m_clock.steady());
    }
    m_sizer.measured(units.size(), std::chrono::duration_cast<Duration>(m_clock.steady() - started));
    take_all(outcome);
  }

  /// Throws RolledBack when the answer was lost, and the transaction too.
  void commit(Transaction& transaction, std::int64_t last_sequence) {
    try {
      transaction.commit();
    } catch (const InDoubtError& error) {
      if (!m_recovery.was_committed(error, committed(), last_sequence)) {
        throw RolledBack{};
      }
    }
  }

  CommittedSoFar committed() const {
    return {.run = m_result.run.id,
            .sequence = m_sequence,
            .applied = m_result.applied,
            .target_words = m_options.target_words};
  }

  /// Rolled back by the caller: what would have been applied has no report.
  void refuse_all(std::vector<UnitReport> reports) {
    m_result.refused_all = true;
    std::erase_if(reports, [](const UnitReport& report) { return report.result == UnitResult::applied; });
    m_result.not_tried = static_cast<std::int64_t>(m_plan.size() - reports.size());
    for (UnitReport& report : reports) {
      take(std::move(report));
    }
  }

  void take_all(BatchOutcome& outcome) {
    for (UnitReport& report : outcome.reports) {
      take(std::move(report));
    }
  }

  void journal(std::vector<JournalEntry>& entries) {
    const Instant now = m_connection.now();
    std::int64_t sequence = m_sequence;
    for (JournalEntry& entry : entries) {
      entry.sequence = ++sequence;
      entry.applied_at = now;
    }
    if (!m_in_journal) {
      m_journal.insert_run(m_result.run);
    }
    m_journal.insert_changes(m_result.run.id, entries);
  }

  void give_up_busy(Units units, const BusyError& error) {
    if (!m_writing) {
      // Not one row but the table or the file is locked: every other batch would wait as long, and in vain.
      m_locked_out = error.message();
      m_result.locked_out = true;
      if (!error.hint().empty()) {
        m_result.warnings.push_back("nothing more was tried: " + error.hint());
      }
    }
    report_all(units, UnitResult::busy, error.message());
  }

  void report_all(Units units, UnitResult result, const std::string& detail) {
    m_result.refused_all = m_options.strict;
    for (const PlanUnit& unit : units) {
      take({.task = unit.task, .result = result, .detail = detail, .side_effects = {}, .finding = unit.finding});
    }
  }

  void take(UnitReport&& report) {
    ++m_reported;
    count(report.result);
    if (report.result == UnitResult::applied) {
      if (m_result.applied.size() < k_applied_kept) {
        m_result.applied.push_back(report.task);
      }
      if (report.side_effects.empty()) {
        return;
      }
    }
    m_result.reports.push_back(std::move(report));
  }

  void count(UnitResult result) {
    RunRecord& run = m_result.run;
    switch (result) {
      case UnitResult::applied:
        ++run.applied;
        break;
      case UnitResult::moved_on:
        ++run.moved_on;
        break;
      case UnitResult::conflict:
        ++run.conflicts;
        break;
      case UnitResult::busy:
        ++run.busy;
        break;
      case UnitResult::failed:
        ++run.failed;
        break;
      case UnitResult::waiting:
      case UnitResult::refused:
        break;  // the journal has no column for them; the reports name them
    }
  }

  void fail_from(std::size_t begin, const std::string& message) {
    m_failed = true;
    m_result.failure = message;
    m_result.not_tried = static_cast<std::int64_t>(m_plan.size() - std::max(begin, m_reported));
  }

  void set_batching(bool on) {
    if (m_batching != nullptr) {
      m_batching->set_batching(on);
    }
  }

  void finish() {
    if (m_result.stopped) {
      m_result.not_tried = static_cast<std::int64_t>(m_plan.size() - m_reported);
    }
    std::erase_if(m_result.pauses,
                  [](const auto& one) { return one.first == k_for_others && one.second < k_told_room; });
    RunRecord& run = m_result.run;
    run.state = m_failed ? RunState::failed : m_result.stopped ? RunState::stopped : RunState::done;
    // What is committed is durable: an error from here on must not look as if it were not.
    unless_committed("the end of the run could not be written to its journal: ", [&] {
      run.finished = m_connection.now();
      set_batching(false);
      if (m_in_journal) {
        Transaction transaction{m_connection, Access::write};
        m_journal.update_run(run);
        transaction.commit();
      }
    });
    if (!m_result.stopped && m_options.count_statuses) {
      unless_committed("the tasks could not be counted: ", [&] {
        Transaction transaction{m_connection, Access::read};
        m_result.status_after = count_statuses(m_store);
        transaction.commit();
      });
    }
    if (m_recovery.count() > 0) {
      m_result.warnings.push_back("the connection was lost and made again");
    }
  }

  template <typename Action>
  void unless_committed(const std::string& what, const Action& action) {
    for (int attempt = 0;; ++attempt) {
      try {
        action();
        return;
      } catch (const BusyError& error) {
        if (attempt == k_retries) {
          warn_or_throw(what, error);
          return;
        }
        std::this_thread::sleep_for(retry_pause(attempt));
      } catch (const InterruptedError& error) {
        // A second signal that came too late for the batches.
        if (attempt == k_retries) {
          warn_or_throw(what, error);
          return;
        }
      } catch (const Error& error) {
        // What is in doubt here is written once more.
        if (attempt == k_retries || !is_recovered(error)) {
          warn_or_throw(what, error);
          return;
        }
      }
    }
  }

  bool is_recovered(const Error& error) {
    if (error.code() != ExitCode::unavailable && error.code() != ExitCode::in_doubt) {
      return false;
    }
    try {
      m_recovery.recover(ConnectionLostError{error.message()}, committed());
      return true;
    } catch (const ConnectionLostError&) {
      return false;
    }
  }

  void warn_or_throw(const std::string& what, const Error& error) {
    if (!m_in_journal) {
      throw error;
    }
    m_result.warnings.push_back(what + error.message());
  }

  TaskStore& m_store;
  Connection& m_connection;
  Batching* m_batching;  ///< nullptr: it needs none
  Journal& m_journal;
  const ApplyOptions& m_options;
  const Clock& m_clock;
  const Plan& m_plan;
  BatchSizer m_sizer;
  ApplyResult m_result;
  bool m_in_journal = false;    ///< something of this run is committed
  std::int64_t m_sequence = 0;  ///< of the last change in the journal
  std::size_t m_reported = 0;   ///< units before this one have a report
  bool m_writing = false;       ///< the attempt got all the locks it asked for first
  bool m_failed = false;
  std::string m_locked_out;  ///< why nothing more is tried; empty while it is
  Recovery m_recovery;
};

Applier::Applier(TaskStore& store, Journal& journal, ApplyOptions options)
    : m_store{store}, m_journal{journal}, m_options{std::move(options)} {}

ApplyResult Applier::apply(const Plan& plan, RunRecord run) {
  return Batches{m_store, m_journal, m_options, plan, std::move(run)}.run();
}

}  // namespace taskctl
