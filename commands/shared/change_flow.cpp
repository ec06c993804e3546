#include "commands/shared/change_flow.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>

#include "base/digest.hpp"
#include "base/duration.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "base/timestamp.hpp"
#include "commands/shared/guards.hpp"
#include "commands/shared/plan_view.hpp"
#include "commands/shared/privileges.hpp"
#include "commands/shared/repair_backup.hpp"
#include "commands/shared/run_record.hpp"
#include "commands/shared/saved_plan.hpp"
#include "engine/plan_check.hpp"
#include "engine/planner_parts.hpp"

namespace taskctl {

ExitCode default_verdict(const ApplyResult& applied) {
  const RunRecord& run = applied.run;
  const bool undone = run.conflicts + run.busy + run.failed + applied.not_tried > 0 || !applied.failure.empty() ||
                      std::any_of(applied.reports.begin(), applied.reports.end(), [](const UnitReport& report) {
                        return report.result == UnitResult::waiting || report.result == UnitResult::refused;
                      });
  if (run.applied == 0 && run.busy > 0 && run.busy == static_cast<std::int64_t>(applied.reports.size())) {
    return ExitCode::locked;  // nothing at all was done, because somebody else held the rows
  }
  return undone ? ExitCode::partial : ExitCode::ok;
}

namespace {

/// A server that is restarted, or replaced by its standby, is back within it.
constexpr Duration k_reconnect_wait = std::chrono::seconds{30};

/// Conflict and busy are often over a moment later: those tasks are planned afresh, once.
std::vector<std::string> worth_a_second_try(const ApplyResult& result) {
  std::vector<std::string> tasks;
  for (const UnitReport& report : result.reports) {
    if (report.result == UnitResult::conflict || report.result == UnitResult::busy) {
      tasks.push_back(report.task);
    }
  }
  return tasks;
}

/// What the second plan leaves alone is over, or now something that must not be done.
UnitResult result_of(LeftOut::Why why) {
  switch (why) {
    case LeftOut::Why::changed_since:
      return UnitResult::conflict;
    case LeftOut::Why::hazard:
    case LeftOut::Why::needs_force:
    case LeftOut::Why::worker_alive:
    case LeftOut::Why::not_repairable:
      return UnitResult::refused;
    default:
      return UnitResult::moved_on;
  }
}

/// The second result on top of the first: reports of re-planned tasks are replaced, and those of the derived rows that
/// waited for them.
void merge_second_try(ApplyResult& first, ApplyResult second, const Plan& again) {
  std::set<std::string> tried;
  again.for_each([&tried](std::size_t, const PlanUnit& unit) { tried.insert(unit.task); });
  std::vector<UnitReport> kept;
  for (UnitReport& report : first.reports) {
    const bool again_decided = report.result == UnitResult::waiting && tried.contains(report.task);
    if (report.result != UnitResult::conflict && report.result != UnitResult::busy && !again_decided) {
      kept.push_back(std::move(report));
    }
  }
  for (const LeftOut& left : again.left_out) {
    const UnitResult now = result_of(left.why);
    second.run.conflicts += now == UnitResult::conflict ? 1 : 0;
    second.run.moved_on += now == UnitResult::moved_on ? 1 : 0;
    kept.push_back({.task = left.task, .result = now, .detail = left.detail});
  }
  kept.insert(kept.end(), std::make_move_iterator(second.reports.begin()),
              std::make_move_iterator(second.reports.end()));
  first.reports = std::move(kept);
  first.applied.insert(first.applied.end(), second.applied.begin(), second.applied.end());
  first.stopped = second.stopped;
  first.stop_reason = std::move(second.stop_reason);
  for (const auto& [why, length] : second.pauses) {
    first.pauses[why] += length;
  }
  first.failure = std::move(second.failure);
  first.not_tried = second.not_tried;
  first.status_after = std::move(second.status_after);
  std::erase_if(second.warnings, [&first](const std::string& warning) {
    return std::find(first.warnings.begin(), first.warnings.end(), warning) != first.warnings.end();
  });
  first.warnings.insert(first.warnings.end(), second.warnings.begin(), second.warnings.end());
  first.run = std::move(second.run);
}

RunRecord new_run(Context& context, Session& session, const Plan& plan, const PlanFileInfo* saved,
                  const std::string& backup) {
  RunRecord run = new_run_record(context, session, plan.command, plan.reason);
  run.request = encode_plan_header(plan, saved == nullptr ? PlanFileInfo{.written_by = TASKCTL_VERSION} : *saved);
  run.plan_hash = plan.hash();
  run.plan_nonce = plan.nonce;
  run.undoes = plan.undoes;
  run.backup = backup;
  run.detection_now = plan.given_now;
  return run;
}

/// What conflicted, was busy or failed is planned again.
RunRecord continued(const RunRecord& before, const std::string& backup) {
  RunRecord run = before;
  run.state = RunState::started;
  run.finished.reset();
  run.conflicts = run.busy = run.failed = 0;
  run.backup = run.backup.empty() ? backup : run.backup;
  return run;
}

/// A strict run that changed nothing: somebody held rows, or a task was not as planned.
ExitCode strict_verdict(const ApplyResult& applied) {
  const bool only_busy =
      std::ranges::all_of(applied.reports, [](const UnitReport& report) { return report.result == UnitResult::busy; });
  return only_busy ? ExitCode::locked : ExitCode::refused;
}

/// "1200 of 5000 tasks, 340/s, 11s left".
std::string progress_text(const ApplyProgress& progress, Duration spent) {
  std::string text = fmt::format("{} of {} tasks", progress.done, progress.total);
  const double seconds = std::chrono::duration<double>{spent}.count();
  if (!progress.pause.empty()) {
    return text + ", waits: " + progress.pause;
  }
  if (progress.done > 0 && seconds >= 1) {
    const double rate = static_cast<double>(progress.done) / seconds;
    const std::chrono::duration<double> left{static_cast<double>(progress.total - progress.done) / rate};
    text += fmt::format(", {:.0f}/s, {} left", rate, format_age(std::chrono::duration_cast<Duration>(left)));
  }
  return text;
}

class Flow {
 public:
  Flow(Context& context, Session& reading, const Plan& plan, const FlowRequest& request)
      : m_context{context}, m_streams{context.streams()}, m_reading{reading}, m_plan{plan}, m_request{request} {}

  int run() {
    if (m_request.saved != nullptr && (is_dry() || m_request.plan.strict)) {
      m_check = check_plan(*m_reading.store, m_plan);
    }
    std::optional<PlanFileInfo> written;
    if (!m_request.plan.save.empty()) {
      require_nobody_outside();
      written = save_plan(m_context, m_reading, m_plan, m_request.plan);
    }
    const PlanCheck* check = m_check ? &*m_check : nullptr;
    if (m_request.format == OutputFormat::json) {
      m_json.emplace(m_streams, m_plan, m_reading.target_name(), is_dry(), check);
    } else if (is_dry() || !is_silent()) {
      print_plan(m_streams, m_plan, m_reading.target_name(), check);
    }
    if (const PlanFileInfo* info = written ? &*written : m_request.saved; m_json && info != nullptr) {
      m_json->plan_file(written ? m_request.plan.save : m_request.plan.file, *info);
    }
    int code = 0;
    try {
      code = go_on();
      if (written) {
        m_streams.talk(saved_text(m_plan, *written, m_request.plan.save, m_request.target));
      }
    } catch (const Error& error) {
      if (m_json) {
        // As the process will end: a signal is told as one, unless a commit is in doubt.
        const StopSource& stop = m_context.stop();
        m_json->end(stop.requested() && error.code() != ExitCode::in_doubt ? 128 + stop.signal()
                                                                           : static_cast<int>(error.code()));
      }
      throw;
    }
    if (m_json) {
      m_json->end(code);
    }
    return code;
  }

 private:
  int go_on() {
    if (!is_dry()) {
      require_known_alive();  // a plan may be empty only because nobody was called dead
    }
    if (is_dry() || m_plan.empty()) {
      const FlowResult result{.applied = {}, .dry_run = is_dry()};
      if (m_request.exit_code && !m_plan.empty()) {
        return static_cast<int>(ExitCode::findings);
      }
      if (!is_dry() && !m_json) {
        m_streams.talk("nothing to do: no backup, no journal, no lock was made");
      }
      const ExitCode code = m_request.judge ? m_request.judge(m_plan, result) : ExitCode::ok;
      m_context.note_why(unfinished_text(m_plan, result.applied));
      if (!m_json && is_silent() && !is_dry() && code != ExitCode::ok) {
        print_left_out(m_streams, m_plan);
      }
      return static_cast<int>(code);
    }
    if (const std::string why = why_stop(); !why.empty()) {
      m_streams.warn(fmt::format("stopped ({}): nothing was begun", printable(why)));
      return static_cast<int>(ExitCode::stopped);
    }
    refuse_detection_time(m_reading);  // before anybody is asked
    require_known_version(m_reading.version, m_reading.profile);
    m_status_before = status_before();
    require_mapped_statuses(m_reading, m_plan.command, m_unmapped);
    if (m_request.plan.strict) {
      require_all_as_planned();
    }
    require_permission(m_context, m_reading, m_plan, m_request.change, m_request.format, m_request.saved != nullptr);
    return apply();
  }

  /// Looked at before anybody is asked, a backup is made or a journal created; the transaction looks again.
  void require_all_as_planned() const {
    require_strict_size(m_plan.size());
    if (m_check && !m_check->all_fresh()) {
      throw Error{ExitCode::refused,
                  fmt::format("--strict: the plan is not as the database is ({}); nothing was changed",
                              freshness_counts(*m_check)),
                  "Make the plan again, or leave --strict out: then what is fresh is applied."};
    }
  }

  /// A plan in a file would be applied by somebody who does not ask again.
  void require_nobody_outside() const {
    if (m_plan.policy.alive) {
      throw Error{ExitCode::usage, "--save-plan: what --alive-from says holds now, not when the plan is applied",
                  "Leave one of them out."};
    }
  }

  void require_known_alive() const {
    if (m_plan.policy.alive && !m_plan.policy.alive->problem.empty()) {
      throw Error{ExitCode::refused,
                  fmt::format("--alive-from '{}' does not tell who is alive ({}); nothing was changed",
                              printable(m_plan.policy.alive->source), m_plan.policy.alive->problem),
                  "Make it answer, or leave it out."};
    }
  }

  /// Rows per status were counted when the plan was made, which may be hours ago.
  std::map<std::string, std::int64_t> status_before() {
    m_unmapped = m_plan.unmapped;
    if (m_request.saved == nullptr || m_plan.status_before.empty()) {
      return m_plan.status_before;
    }
    const Transaction transaction{*m_reading.connection, Access::read};
    const std::vector<StatusCount> counts = m_reading.store->status_counts();
    m_unmapped = unmapped_statuses(counts);
    return count_statuses(counts);
  }

  int apply() {
    const std::unique_ptr<Session> session = m_context.reopen_for_writing(m_reading, m_request.change);
    m_streams.talk(banner(*session));
    require_privileges(*session, m_plan);
    Connection& connection = *session->connection;
    const std::unique_ptr<RunLock> lock = m_context.drivers()
                                              .of(connection.engine())
                                              .lock(connection, session->location,
                                                    {.command = m_plan.command,
                                                     .wait = m_request.change.lock_wait.value_or(Duration{}),
                                                     .stop = &m_context.stop()});
    if (m_request.saved != nullptr) {
      // A person may have thought for long, and another run may have ended while this one waited for the lock.
      require_unexpired(*m_request.saved, m_context.clock().now());
      if (m_request.resumes == nullptr) {
        require_unapplied(m_plan, *session->journal);
      }
    }
    const std::string backup = back_up(*session);
    if (m_reading.alive) {
      m_reading.alive->ask();
      require_known_alive();
    }
    if (!session->journal->exists()) {
      session->journal->create();
      m_streams.talk("created the journal (taskctl_runs, taskctl_changes) in the target database");
    }
    FlowResult result{.applied = write(*session, *lock, backup), .dry_run = false};
    if (m_request.afterwards) {
      m_request.afterwards(*session);
    }
    return report(*session, result, backup);
  }

  std::string back_up(Session& session) {
    const std::optional<BackupResult> made =
        back_up_before_repair(m_context, session, m_plan, m_request.target, m_request.change);
    if (!made) {
      return {};
    }
    m_streams.talk(fmt::format("backup {} ({}, verified: {})", made->path.string(), to_string(made->manifest.scope),
                               to_string(made->manifest.verified)));
    return made->path.string();
  }

  /// --max-runtime, --stop-file, and nobody who tells who is alive any more.
  std::string why_stop() const {
    if (m_reading.alive) {
      m_reading.alive->ask_when_old();
      if (const std::string& problem = m_reading.alive->list()->problem; !problem.empty() && !m_plan.empty()) {
        return fmt::format("--alive-from does not tell who is alive: {}", problem);
      }
    }
    const ChangeOptions& change = m_request.change;
    if (change.max_runtime && m_context.running_for() >= *change.max_runtime) {
      return fmt::format("--max-runtime {} is over", format_duration(*change.max_runtime));
    }
    std::error_code ignored;
    if (!change.stop_file.empty() && std::filesystem::exists(change.stop_file, ignored)) {
      return fmt::format("the stop file '{}' is there", change.stop_file);
    }
    return {};
  }

  ApplyOptions apply_options(const Session& session, RunLock& lock) {
    ApplyOptions options{.batch_size = m_request.change.batch_size.value_or(0),
                         .stop = &m_context.stop(),
                         .clock = &m_context.clock(),
                         .lock = &lock,
                         .strict = m_request.plan.strict,
                         .busy_wait = session.open_options.busy_wait,
                         .reconnect_wait = m_request.change.reconnect_wait.value_or(k_reconnect_wait),
                         .target_words = m_request.target.words(),
                         .progress =
                             [this, began = m_context.clock().now()](const ApplyProgress& progress) {
                               m_streams.progress(progress_text(progress, m_context.clock().now() - began));
                             },
                         .sleep = m_request.change.sleep,
                         .why_stop = [this] { return why_stop(); }};
    // Counting reads an index from end to end: not for nobody.
    options.count_statuses = m_json.has_value() || !is_silent();
    return options;
  }

  /// A run that goes on is `started` again, and who made it go on stands in a row of its own.
  RunRecord run_record(Session& session, const std::string& backup) {
    if (m_request.resumes == nullptr) {
      return new_run(m_context, session, m_plan, m_request.saved, backup);
    }
    RunRecord run = continued(*m_request.resumes, backup);
    RunRecord resumption = new_run_record(m_context, session, "resume " + run.id, m_request.change.reason);
    resumption.state = RunState::done;
    resumption.finished = resumption.started;
    resumption.plan_nonce = random_uuid();
    resumption.backup = backup;
    Transaction transaction{*session.connection, Access::write};
    session.journal->update_run(run);
    session.journal->insert_run(resumption);
    transaction.commit();
    return run;
  }

  ApplyResult write(Session& session, RunLock& lock, const std::string& backup) {
    Applier applier{*session.store, *session.journal, apply_options(session, lock)};
    ApplyResult result = applier.apply(m_plan, run_record(session, backup));
    result.applied_before = m_request.resumes == nullptr ? 0 : m_request.resumes->applied;
    const bool as_it_is = m_request.saved != nullptr || m_request.plan.strict;
    if (result.run.state == RunState::done && !result.locked_out && !as_it_is) {
      try_again(session, applier, result);
    }
    m_streams.end_progress();
    return result;
  }

  void try_again(Session& session, Applier& applier, ApplyResult& result) {
    const std::vector<std::string> again = worth_a_second_try(result);
    if (again.empty() || !result.failure.empty()) {
      return;
    }
    try {
      const Plan second = replan(*session.store, m_plan, again);
      RunRecord run = result.run;
      run.conflicts -= std::count_if(result.reports.begin(), result.reports.end(),
                                     [](const UnitReport& r) { return r.result == UnitResult::conflict; });
      run.busy -= std::count_if(result.reports.begin(), result.reports.end(),
                                [](const UnitReport& r) { return r.result == UnitResult::busy; });
      merge_second_try(result, applier.apply(second, std::move(run)), second);
    } catch (const InDoubtError&) {
      throw;
    } catch (const Error& error) {
      if (result.run.applied == 0) {
        throw;
      }
      // What is committed must not look as if it were not.
      result.stopped = m_context.stop().requested();
      result.warnings.push_back("the tasks that were busy or had changed were not tried again: " + error.message());
    }
  }

  /// What a silent run has to tell after all.
  void count_statuses_now(Session& session, ApplyResult& result) {
    try {
      Transaction transaction{*session.connection, Access::read};
      result.status_after = count_statuses(*session.store);
      transaction.commit();
    } catch (const Error& error) {
      m_streams.warn("the tasks could not be counted: " + error.message());
    }
  }

  int report(Session& session, FlowResult& result, const std::string& backup) {
    for (const std::string& warning : result.applied.warnings) {
      m_streams.warn(warning);
    }
    if (const std::string problem = session.store->sightings_problem();
        !problem.empty() && std::ranges::find(m_plan.warnings, problem) == m_plan.warnings.end()) {
      m_streams.warn(problem);
    }
    const ExitCode code = result.applied.refused_all ? strict_verdict(result.applied)
                          : m_request.judge          ? m_request.judge(m_plan, result)
                                                     : default_verdict(result.applied);
    if (m_json) {
      m_json->result(result.applied, backup);
    } else if (!is_silent()) {
      print_result(m_streams, m_plan, m_status_before, result.applied, m_request.target.words());
    } else if (result.applied.stopped || code != ExitCode::ok) {
      if (!result.applied.stopped) {
        count_statuses_now(session, result.applied);
      }
      print_left_out(m_streams, m_plan);
      print_result(m_streams, m_plan, m_status_before, result.applied, m_request.target.words());
    }
    m_context.note_why(unfinished_text(m_plan, result.applied));
    tell_if_unheard(result.applied);
    if (result.applied.stopped && m_context.stop().requested()) {
      m_streams.talk("stopped by a signal; what is listed as applied is durable");
      return 128 + m_context.stop().signal();
    }
    return static_cast<int>(result.applied.stop_reason.empty() ? code : ExitCode::stopped);
  }

  /// What was changed, and how it is taken back, must not be lost with the reader of stdout (`| head -1`).
  void tell_if_unheard(const ApplyResult& result) {
    m_streams.flush();
    if ((m_streams.out_lost() || !m_streams.out_problem().empty()) && result.run.applied > 0) {
      m_streams.warn(
          fmt::format("standard output was not taken to its end: {}; run {}; take it back with: taskctl undo {}{}",
                      applied_text(result), result.run.id, result.run.id, m_request.target.words()));
    }
  }

  /// --quiet prints nothing on success; but nobody is asked about a plan that was not shown.
  [[nodiscard]] bool is_silent() const { return m_streams.options().quiet && m_request.change.yes; }

  /// A plan is saved, not applied.
  [[nodiscard]] bool is_dry() const { return m_request.change.dry_run || !m_request.plan.save.empty(); }

  Context& m_context;
  Streams& m_streams;
  Session& m_reading;
  const Plan& m_plan;
  const FlowRequest& m_request;
  std::optional<PlanJson> m_json;
  std::optional<PlanCheck> m_check;
  std::map<std::string, std::int64_t> m_status_before;
  std::vector<std::string> m_unmapped;  ///< statuses in use, counted with the above
};

}  // namespace

int run_change_flow(Context& context, Session& session, const Plan& plan, const FlowRequest& request) {
  return Flow{context, session, plan, request}.run();
}

}  // namespace taskctl
