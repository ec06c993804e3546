#include "commands/list-workers/list_workers.hpp"

#include "base/error.hpp"
#include "cli/value_kind.hpp"
#include "commands/list-workers/list_workers_view.hpp"
#include "commands/shared/outcome_option.hpp"

namespace taskctl {

namespace {

const std::vector<std::string> k_states{"alive", "dead", "unknown"};

Liveness parse_state(const std::string& text) {
  for (const Liveness state : {Liveness::alive, Liveness::dead, Liveness::unknown}) {
    if (to_string(state) == text) {
      return state;
    }
  }
  throw_unknown_choice("state", text, k_states);
}

}  // namespace

void declare_list_workers(CLI::App& app, ListWorkersOptions& options) {
  options.target.declare(app);
  options.target.declare_alive_from(app);
  options.age.declare(app);
  options.output.allowed = {OutputFormat::table, OutputFormat::json, OutputFormat::jsonl,
                            OutputFormat::csv,   OutputFormat::tsv,  OutputFormat::ids};
  options.output.declare(app);
  add_repeated(app, "--worker", "only this worker (exact; repeatable)",
               [&options](const std::string& text) { options.names.push_back(text); })
      ->type_name("WORKER")
      ->group("Filters");
  set_choices(add_repeated(app, "--state", "only workers that are alive, dead or unknown (repeatable)",
                           [&options](const std::string& text) { options.states.push_back(parse_state(text)); }),
              k_states)
      ->type_name("STATE")
      ->group("Filters");
  declare_no_evidence(app, options.no_evidence);
  app.add_flag("--exit-code", options.exit_code)->description("end with 4 when a dead worker holds tasks");
  add_choice(app, "--sort", "field",
             "state (default: dead first), name, heartbeat (oldest first), held, stuck or age (of the oldest task)",
             {"state", "name", "heartbeat", "held", "stuck", "age"},
             [&options](const std::string& text) { options.sort = text; })
      ->type_name("FIELD");
  add_parsed(app, "--limit", "print at most this many workers; the summary still counts all",
             [&options](const std::string& text) { options.limit = parse_count(text, "--limit"); })
      ->type_name("N");
}

int run_list_workers(Context& context, const ListWorkersOptions& options) {
  const std::unique_ptr<Session> session = context.open(options.target, &options.age, Access::read, false);
  session->policy.evidence = !options.no_evidence;
  const WorkerSurvey survey =
      survey_workers(*session->store, {.names = options.names, .policy = session->policy, .now = session->now});
  const WorkersView view{.format = options.output.format,
                         .sort = options.sort,
                         .limit = options.limit,
                         .states = options.states,
                         .target = session->target_name()};
  print_workers(context.streams(), survey, view);
  const bool found = summarise(survey, view).held_by_dead > 0;
  return static_cast<int>(options.exit_code && found ? ExitCode::findings : ExitCode::ok);
}

}  // namespace taskctl
