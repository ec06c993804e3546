#include "commands/history/history.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/duration.hpp"
#include "base/error.hpp"
#include "cli/app.hpp"
#include "commands/history/attempts_view.hpp"
#include "commands/history/history_prune.hpp"
#include "commands/history/history_view.hpp"

namespace taskctl {

namespace {

constexpr std::size_t k_default_runs = 50;
constexpr std::size_t k_all_runs = 1'000'000;

RunRecord require_run(Session& session, const std::string& run) {
  const std::string wanted = unshield(run);
  const std::optional<RunRecord> found = session.journal->find_run(wanted);
  if (!found) {
    throw Error{ExitCode::partial, fmt::format("no run has the id '{}'", wanted),
                "`taskctl history` lists the runs that changed this database."};
  }
  return *found;
}

void export_history(Context& context, Session& session, const HistoryOptions& options) {
  std::vector<RunRecord> runs;
  if (options.run.empty()) {
    runs = session.journal->runs(options.limit.value_or(k_all_runs));
    std::ranges::reverse(runs);
  } else {
    runs.push_back(require_run(session, options.run));
  }
  export_runs(context.streams(), session, runs);
}

std::vector<std::string> wanted_ids(const HistoryOptions& options) {
  std::vector<std::string> ids;
  for (const std::string& id : options.ids) {
    ids.push_back(unshield(id));
  }
  return ids;
}

}  // namespace

void declare_history(CLI::App& app, HistoryOptions& options) {
  using Action = HistoryOptions::Action;
  options.target.declare(app);
  options.output.declare(app);
  options.change.declare(app, false);
  add_repeated(app, "--id", "list what every run did to this task (exact; repeatable)",
               [&options](const std::string& text) { options.ids.push_back(text); })
      ->type_name("ID");
  add_parsed(app, "--limit", "at most this many runs or attempts, the newest (default 50; export: all)",
             [&options](const std::string& text) { options.limit = parse_count(text, "--limit"); })
      ->type_name("N");
  add_parsed(app, "--older-than", "prune: runs that ended longer ago than this", [&options](const std::string& text) {
    options.older_than = parse_duration(text, BareNumber::refused, "--older-than");
  })->type_name("DURATION");
  app.require_subcommand(0, 1);
  const auto action = [&](const char* name, const char* description, Action value) {
    return app.add_subcommand(name, description)->fallthrough()->parse_complete_callback([&options, value] {
      options.action = value;
    });
  };
  action("show", "show one run with every row that it changed", Action::show)
      ->add_option("RUN", options.run)
      ->description("id of the run, or a prefix that only one has")
      ->required();
  action("export", "print runs and changes as JSON lines, oldest first", Action::export_runs)
      ->add_option("RUN", options.run)
      ->description("only this run");
  action("prune", "remove old runs from the journal for good", Action::prune);
  action("attempts", "list commands that were refused or failed on this machine and changed nothing", Action::attempts);
}

int run_history(Context& context, const HistoryOptions& options) {
  using Action = HistoryOptions::Action;
  if (options.action == Action::attempts) {
    print_attempts(context.streams(), options.limit.value_or(k_default_runs), options.output.format);
    return static_cast<int>(ExitCode::ok);
  }
  if (options.action == Action::prune) {
    return prune_history(context, options);
  }
  const std::unique_ptr<Session> session = context.open(options.target, nullptr, Access::read, false);
  if (options.action == Action::export_runs) {
    export_history(context, *session, options);
  } else if (options.action == Action::show) {
    print_run(context.streams(), *session, require_run(*session, options.run), options.output.format,
              options.target.words());
  } else if (!options.ids.empty()) {
    print_tasks(context.streams(), *session, wanted_ids(options), options.output.format);
  } else {
    print_runs(context.streams(), *session, session->journal->runs(options.limit.value_or(k_default_runs)),
               options.output.format);
  }
  return static_cast<int>(ExitCode::ok);
}

}  // namespace taskctl
