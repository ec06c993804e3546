#include "commands/show/show.hpp"

#include "base/error.hpp"
#include "cli/app.hpp"
#include "commands/shared/outcome_option.hpp"
#include "commands/show/show_view.hpp"
#include "engine/lister.hpp"
#include "engine/row_rules.hpp"

namespace taskctl {

void declare_show(CLI::App& app, ShowOptions& options) {
  app.add_option("ID", options.id)->description("the task's id, exactly as list-stuck prints it")->required();
  options.target.declare(app);
  options.target.declare_alive_from(app);
  options.age.declare(app);
  options.output.declare(app);
  declare_no_evidence(app, options.no_evidence);
}

int run_show(Context& context, const ShowOptions& options) {
  const std::unique_ptr<Session> session = context.open(options.target, &options.age, Access::read, false);
  session->policy.evidence = !options.no_evidence;
  const TaskKey key = TaskKey::from_text(unshield(options.id), session->profile.key.size());
  const std::optional<TaskReport> report = inspect_task(*session->store, key, session->policy, session->now);
  if (!report) {
    if (task_ids(session->profile, {key.text()}).empty()) {
      throw Error{ExitCode::partial, "'" + key.text() + "' is no task but a finding beside the tasks",
                  "`taskctl list-stuck --id '" + key.text() + "'` shows it, if it is still wrong."};
    }
    throw Error{ExitCode::partial, "no task has the id '" + key.text() + "'",
                "Ids are matched exactly; `taskctl list-stuck --include-fine` prints those of unfinished tasks."};
  }
  if (const std::string problem = session->store->sightings_problem(); !problem.empty()) {
    context.streams().warn(problem);
  }
  if (report->facts.has_twin) {
    throw Error{ExitCode::mismatch, "two rows answer to the id '" + key.text() + "'; neither is shown or repaired",
                "The key column has no type, so that 1 and '1' are two rows: look with typeof() which one should go."};
  }
  print_task_report(context.streams(), *report, *session, options.output.format);
  return static_cast<int>(ExitCode::ok);
}

}  // namespace taskctl
