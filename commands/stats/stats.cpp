#include "commands/stats/stats.hpp"

#include "commands/shared/outcome_option.hpp"
#include "commands/stats/stats_view.hpp"
#include "engine/stats.hpp"

namespace taskctl {

void declare_stats(CLI::App& app, StatsOptions& options) {
  options.target.declare(app);
  options.age.declare(app);
  options.output.declare(app);
  declare_no_evidence(app, options.no_evidence);
}

int run_stats(Context& context, const StatsOptions& options) {
  const std::unique_ptr<Session> session = context.open(options.target, &options.age, Access::read, false);
  session->policy.evidence = !options.no_evidence;
  const Stats stats = collect_stats(*session->store, {.policy = session->policy, .now = session->now});
  print_stats(context.streams(), stats,
              {.format = options.output.format,
               .target = session->target_name(),
               .profile = session->profile.name,
               .max_age = session->policy.max_age});
  return static_cast<int>(ExitCode::ok);
}

}  // namespace taskctl
