#include "commands/resume/resume.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/app.hpp"
#include "commands/shared/change_flow.hpp"
#include "commands/shared/plan_view.hpp"
#include "commands/shared/run_record.hpp"
#include "commands/shared/saved_plan.hpp"
#include "engine/planner.hpp"
#include "view/plan_codec.hpp"

namespace taskctl {

namespace {

RunRecord find_resumable(Journal& journal, const std::string& wanted) {
  const std::optional<RunRecord> run = journal.find_run(wanted);
  if (!run) {
    throw Error{ExitCode::partial, fmt::format("no run has the id '{}'", printable(wanted)),
                "`taskctl history` lists the runs that changed this database; a run that was ended before its first "
                "commit is not among them: repeat its command."};
  }
  if (!is_resumable(*run)) {
    throw Error{ExitCode::partial,
                fmt::format("run {} ({}, {}) cannot go on", run->id, printable(run->command), to_string(run->state)),
                "Only repairs that were stopped, failed or were killed can."};
  }
  return *run;
}

PlanHeader request_of(Journal& journal, const RunRecord& run) {
  try {
    return decode_plan_header(journal.request(run.id));
  } catch (const std::exception&) {
    throw Error{ExitCode::mismatch, fmt::format("what run {} was asked to do cannot be read from the journal", run.id),
                fmt::format("Repeat its command: {}", run.arguments)};
  }
}

bool is_of_file(const PlanHeader& request) {
  return request.info.expires > Instant{};
}

/// Rows that are not as the run left them, or cannot be reached, were asked for and are not done.
ExitCode resumed_verdict(const Plan& plan, const FlowResult& result) {
  for (const LeftOut::Why why : {LeftOut::Why::changed_since, LeftOut::Why::unaddressable, LeftOut::Why::unknown}) {
    if (plan.left_out_counts.contains(why)) {
      return ExitCode::partial;
    }
  }
  return default_verdict(result.applied);
}

int carry_on(Context& context, Session& session, const Plan& plan, const RunRecord& run, const ResumeOptions& options,
             const PlanFileInfo* saved) {
  context.streams().talk(fmt::format("run {} ({}) goes on: {} changed so far, {} left", run.id, run.command,
                                     counted(run.applied, "task"), plan_size_text(plan)));
  const PlanOptions as_it_is{.file = options.plan_file};
  return run_change_flow(context, session, plan,
                         {.target = options.target,
                          .change = options.change,
                          .plan = as_it_is,
                          .saved = saved,
                          .resumes = &run,
                          .format = options.output.format,
                          .judge = resumed_verdict});
}

int resume_saved(Context& context, const ResumeOptions& options, const std::string& wanted) {
  const SavedPlan file = read_plan_file(options.plan_file, &context.stop());
  const OpenPlan open =
      open_saved_plan(context, file.plan.command, PlanOptions{.file = options.plan_file}, options.target, true);
  Journal& journal = *open.session->journal;
  const RunRecord run = find_resumable(journal, wanted);
  if (run.plan_nonce != open.saved.plan.nonce) {
    throw Error{ExitCode::stale, fmt::format("run {} did not apply the plan '{}'", run.id, options.plan_file),
                is_of_file(request_of(journal, run)) ? "Give the file that it applied."
                                                     : "It was not made from a file: leave --plan out."};
  }
  const Plan rest = rest_of(open.saved.plan, journal.applied_tasks(run.id));
  return carry_on(context, *open.session, rest, run, options, &open.saved.info);
}

/// --limit counted the tasks of the whole run.
std::optional<std::size_t> tasks_left(const PlanHeader& request, const RunRecord& run) {
  if (request.plan.remaining == 0) {
    return std::nullopt;
  }
  const auto done = static_cast<std::size_t>(std::max<std::int64_t>(run.applied + run.moved_on, 0));
  return request.units - std::min(request.units, done);
}

}  // namespace

void declare_resume(CLI::App& app, ResumeOptions& options) {
  app.add_option("RUN", options.run)->description("id of the run, or a prefix that only one has")->required();
  options.target.declare(app);
  options.change.declare(app, true);
  options.output.declare(app);
  add_parsed(app, "--plan", "the saved plan that the run applied", [&options](const std::string& text) {
    options.plan_file = text;
  })->type_name("FILE");
}

int run_resume(Context& context, const ResumeOptions& options) {
  const std::string wanted = unshield(options.run);
  if (!options.plan_file.empty()) {
    return resume_saved(context, options, wanted);
  }
  const std::unique_ptr<Session> session = context.open(options.target, nullptr, Access::read, true);
  const RunRecord run = find_resumable(*session->journal, wanted);
  const PlanHeader request = request_of(*session->journal, run);
  if (is_of_file(request)) {
    throw Error{ExitCode::usage, fmt::format("run {} applied a saved plan", run.id),
                "Give the file with --plan: what is left of it is applied as it was planned."};
  }
  if (request.plan.profile != session->profile.name) {
    throw Error{ExitCode::mismatch,
                fmt::format("run {} was made with profile '{}', not '{}'", run.id, printable(request.plan.profile),
                            session->profile.name),
                fmt::format("Give --profile {}.", printable(request.plan.profile))};
  }
  if (request.plan.policy.alive) {
    throw Error{
        ExitCode::refused,
        fmt::format("run {} asked '{}' who is alive, and no command is taken from a journal; nothing was changed",
                    run.id, printable(request.plan.policy.alive->source)),
        "Run the command again with --alive-from: what is done already is not done twice."};
  }
  session->policy = request.plan.policy;
  const Plan rest = plan_rest(*session->store, *session->journal, request.plan, run.id, tasks_left(request, run));
  return carry_on(context, *session, rest, run, options, nullptr);
}

}  // namespace taskctl
