#include "commands/list-stuck/list_stuck.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "commands/list-stuck/list_stuck_view.hpp"
#include "commands/shared/outcome_option.hpp"
#include "engine/lister.hpp"
#include "engine/named_ids.hpp"

namespace taskctl {

void declare_list_stuck(CLI::App& app, ListStuckOptions& options) {
  options.target.declare(app);
  options.target.declare_alive_from(app);
  options.age.declare(app);
  options.selector.declare(app);
  options.output.allowed = {OutputFormat::table, OutputFormat::json, OutputFormat::jsonl,
                            OutputFormat::csv,   OutputFormat::tsv,  OutputFormat::ids};
  options.output.declare(app);
  declare_no_evidence(app, options.no_evidence);
  app.add_flag("--include-fine", options.include_fine)
      ->description("also list settling tasks and active tasks with nothing wrong");
  app.add_flag("--exit-code", options.exit_code)->description("end with 4 when something is stuck");
  add_choice(app, "--sort", "field", "age (default: oldest first), id, kind, status, worker, rule or certainty",
             {"age", "id", "kind", "status", "worker", "rule", "certainty"},
             [&options](const std::string& text) { options.sort = text; })
      ->type_name("FIELD");
  add_parsed(app, "--limit", "print at most this many rows; the summary still counts all",
             [&options](const std::string& text) { options.limit = parse_count(text, "--limit"); })
      ->type_name("N");
}

int run_list_stuck(Context& context, const ListStuckOptions& options) {
  const std::unique_ptr<Session> session = context.open(options.target, &options.age, Access::read, false);
  session->policy.evidence = !options.no_evidence;
  const ListRequest request{.selector = options.selector.selector,
                            .policy = session->policy,
                            .now = session->now,
                            .include_fine = options.include_fine};
  Listing listing = list_stuck(*session->store, request);
  const std::vector<std::string> unknown = unknown_ids(*session->store, request.selector.ids);
  for (const std::string& id : unknown) {
    listing.warnings.push_back("no task has the id '" + printable(id) + "'");
  }
  if (unknown.empty() && !request.selector.empty() && listing.summary.stuck + listing.summary.fine == 0) {
    listing.warnings.push_back("no unfinished task fits: " + request.selector.describe());
  }
  print_listing(context.streams(), listing,
                {.format = options.output.format,
                 .sort = options.sort,
                 .limit = options.limit,
                 .target = session->target_name(),
                 .selection = options.selector.selector.describe(),
                 .max_age = session->policy.max_age});
  if (!unknown.empty()) {
    return static_cast<int>(ExitCode::partial);
  }
  const bool found = listing.summary.stuck > 0;
  return static_cast<int>(options.exit_code && found ? ExitCode::findings : ExitCode::ok);
}

}  // namespace taskctl
