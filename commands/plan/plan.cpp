#include "commands/plan/plan.hpp"

#include <fmt/format.h>

#include <functional>

#include "base/error.hpp"
#include "base/text.hpp"
#include "base/timestamp.hpp"
#include "cli/app.hpp"
#include "commands/shared/plan_view.hpp"
#include "commands/shared/saved_plan.hpp"
#include "engine/plan_check.hpp"

namespace taskctl {

namespace {

/// How the plan compares with its database, and why it could not be applied any more.
struct Comparison {
  std::string target;
  std::optional<PlanCheck> check;
  std::vector<std::string> problems;
};

/// To look at a plan is possible as well when it is too late to apply it.
void note_problem(std::vector<std::string>& problems, const std::function<void()>& require) {
  try {
    require();
  } catch (const Error& error) {
    if (error.code() != ExitCode::stale) {
      throw;
    }
    problems.push_back(error.message());
  }
}

/// A role that reads the tasks need not be one that reads the journal.
void note_application(Streams& streams, std::vector<std::string>& problems, const Plan& plan, Journal& journal) {
  try {
    note_problem(problems, [&] { require_unapplied(plan, journal); });
  } catch (const Error& error) {
    if (error.code() != ExitCode::access) {
      throw;
    }
    streams.warn("whether the plan was applied already cannot be read: " + error.message());
  }
}

Comparison compare(Context& context, const PlanShowOptions& options, const SavedPlan& saved) {
  Comparison comparison{.target = saved.info.target, .check = {}, .problems = {}};
  note_problem(comparison.problems, [&] { require_unexpired(saved.info, context.clock().now()); });
  if (options.target.db.empty() && options.target.target.empty()) {
    return comparison;
  }
  const std::unique_ptr<Session> session = open_for_plan(context, options.target, saved, false);
  note_application(context.streams(), comparison.problems, saved.plan, *session->journal);
  comparison.check = check_plan(*session->store, saved.plan);
  comparison.target = session->target_name();
  return comparison;
}

void print_saved(Streams& streams, const SavedPlan& saved, const Comparison& comparison) {
  streams.line(fmt::format("plan of {}, made at {} by taskctl {}, good until {}", printable(saved.plan.command),
                           format_instant(saved.info.created), printable(saved.info.written_by),
                           format_instant(saved.info.expires)));
  for (const std::string& problem : comparison.problems) {
    streams.warn(problem);
  }
  print_plan(streams, saved.plan, printable(comparison.target), comparison.check ? &*comparison.check : nullptr);
}

}  // namespace

void declare_plan(CLI::App& app, PlanShowOptions& options) {
  options.target.declare(app);
  options.output.declare(app);
  app.add_flag("--exit-code", options.exit_code)
      ->description("end with 4 when the plan cannot be applied any more, or a task is not fresh");
  app.require_subcommand(1, 1);
  app.add_subcommand("show", "print a saved plan; with --db or --target, what became of its tasks since")
      ->fallthrough()
      ->add_option("FILE", options.file)
      ->description("the file that --save-plan wrote")
      ->required();
}

int run_plan(Context& context, const PlanShowOptions& options) {
  if (!options.target.now.empty() || !options.target.accept_hazards.empty()) {
    throw Error{
        ExitCode::usage,
        fmt::format("{} does not go with a saved plan", options.target.now.empty() ? "--accept-hazard" : "--now"),
        "The plan has the ones that it was made with."};
  }
  const std::string file = unshield(options.file);
  const SavedPlan saved = read_plan_file(file, &context.stop());
  const Comparison comparison = compare(context, options, saved);
  const bool is_fine = comparison.problems.empty() && (!comparison.check || comparison.check->all_fresh());
  const int code = static_cast<int>(options.exit_code && !is_fine ? ExitCode::findings : ExitCode::ok);
  if (options.output.format == OutputFormat::json) {
    PlanJson json{context.streams(), saved.plan, comparison.target, true,
                  comparison.check ? &*comparison.check : nullptr};
    json.plan_file(file, saved.info);
    json.problems(comparison.problems);
    json.end(code);
  } else {
    print_saved(context.streams(), saved, comparison);
  }
  return code;
}

}  // namespace taskctl
