#include "commands/undo/undo.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/app.hpp"
#include "commands/shared/change_flow.hpp"
#include "commands/shared/run_record.hpp"
#include "commands/shared/saved_plan.hpp"
#include "engine/guard.hpp"
#include "engine/planner.hpp"

namespace taskctl {

namespace {

RunRecord find_run(Journal& journal, const UndoOptions& options) {
  const std::string wanted = unshield(options.run);
  const std::optional<RunRecord> run = options.last ? journal.last_undoable() : journal.find_run(wanted);
  if (!run) {
    throw Error{ExitCode::partial,
                options.last ? "there is no run to undo" : fmt::format("no run has the id '{}'", wanted),
                "`taskctl history` lists the runs that changed this database."};
  }
  return *run;
}

/// Undoing passes the guard; a constraint that is marked as valid then says what is not true.
void warn_of_guard(Streams& streams, Session& session) {
  if (Guard::is_contradicted(*session.connection, session.profile, session.schema, session.journal->schema_name())) {
    streams.warn(
        "rows are wrong again under the validated constraint taskctl_guard_finished: a dump made now does not restore; "
        "repair them, or run `taskctl guard install`, which makes it NOT VALID");
  }
}

/// Guards and prunings are in the journal too, with no change of a task.
void refuse_other_runs(const RunRecord& run) {
  if (run.state == RunState::pruning) {
    throw Error{ExitCode::partial, fmt::format("run {} has left the journal in part: it cannot be undone", run.id),
                "`taskctl history prune` removed its oldest changes; restore the backup that the run made instead."};
  }
  if (run.command == "history prune") {
    throw Error{ExitCode::partial, fmt::format("run {} is 'history prune': what it removed is gone for good", run.id)};
  }
  if (const std::string resumed = resumed_run(run); !resumed.empty()) {
    throw Error{ExitCode::partial,
                fmt::format("run {} is '{}': what it changed stands in that run", run.id, run.command),
                fmt::format("Undo {}.", resumed)};
  }
  if (run.command.starts_with("guard ")) {
    throw Error{ExitCode::partial, fmt::format("run {} is '{}': it changed no task", run.id, run.command),
                "`taskctl guard install` and `taskctl guard remove` change a guard."};
  }
}

/// Rows that somebody changed since are kept, and a trigger may write another value than was there before the run:
/// both are something which was asked for and not done.
ExitCode undo_verdict(const Plan& plan, const FlowResult& result) {
  const bool kept = plan.left_out_counts.count(LeftOut::Why::changed_since) > 0;
  const bool altered = std::any_of(result.applied.reports.begin(), result.applied.reports.end(),
                                   [](const UnitReport& report) { return !report.side_effects.empty(); });
  return kept || altered ? ExitCode::partial : default_verdict(result.applied);
}

int carry_out(Context& context, Session& session, const Plan& plan, const UndoOptions& options,
              const PlanFileInfo* saved) {
  FlowRequest request = flow_request(options, saved, undo_verdict);
  request.afterwards = [&context](Session& written) { warn_of_guard(context.streams(), written); };
  return run_change_flow(context, session, plan, request);
}

}  // namespace

void declare_undo(CLI::App& app, UndoOptions& options) {
  CLI::Option* run = app.add_option("RUN", options.run)->description("id of the run, or a prefix that only one has");
  CLI::Option* last = app.add_flag("--last", options.last)->description("the newest run that is not an undo");
  run->excludes(last);
  app.add_option("--id", options.tasks)
      ->description("take back only this task; repeatable")
      ->type_name("ID")
      ->allow_extra_args(false);
  options.target.declare(app);
  options.change.declare(app, true);
  options.output.declare(app);
  options.plan.declare(app);
}

int run_undo(Context& context, const UndoOptions& options) {
  if (!options.plan.file.empty()) {
    const OpenPlan open = open_saved_plan(context, "undo", options.plan, options.target);
    return carry_out(context, *open.session, open.saved.plan, options, &open.saved.info);
  }
  if (options.run.empty() && !options.last) {
    throw Error{ExitCode::usage, "undo needs a run", "Give its id (`taskctl history` lists them) or --last."};
  }
  const std::unique_ptr<Session> session = context.open(options.target, nullptr, Access::read, true);
  const RunRecord run = find_run(*session->journal, options);
  refuse_other_runs(run);
  const std::vector<std::string> undone_by = session->journal->undone_by(run.id);
  if (!undone_by.empty()) {
    context.streams().talk(fmt::format("run {} was already taken back by {}", run.id, join(undone_by, ", ")));
  }
  UndoRequest request{.run = run.id};
  for (const std::string& task : options.tasks) {
    request.tasks.push_back(unshield(task));
  }
  Plan plan = plan_undo(*session->store, *session->journal, request);
  plan.reason = options.change.reason;
  for (const LeftOut& left : plan.left_out) {
    if (left.why == LeftOut::Why::unknown) {
      throw Error{ExitCode::partial, fmt::format("run {} did not change task '{}'", run.id, left.task),
                  fmt::format("`taskctl history show {}{}` lists what it changed.", run.id, options.target.words())};
    }
  }
  return carry_out(context, *session, plan, options, nullptr);
}

}  // namespace taskctl
