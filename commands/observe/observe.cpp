#include "commands/observe/observe.hpp"

#include <fmt/format.h>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "base/timestamp.hpp"
#include "engine/observer.hpp"
#include "view/json.hpp"

namespace taskctl {

namespace {

/// A profile with a time for everything has nothing to be noted; without a folder nothing can be.
const Sightings& require_sightings(const Session& session) {
  if (!session.profile.times.counts_first_seen()) {
    throw Error{ExitCode::usage,
                fmt::format("profile '{}' does not count from when a task was first seen: nothing is noted",
                            session.profile.title()),
                "Where no column says when a task began, give it start_fallback = [\"first_seen\"] in [task.time]."};
  }
  if (!session.sightings) {
    static_cast<void>(state_folder());  // says why there is none
    throw Error{ExitCode::bug, "nothing can be noted"};
  }
  return *session.sightings;
}

void print_observation(Streams& streams, const Observation& seen) {
  const SightingCounts& counts = seen.counts;
  streams.line(fmt::format("{} active {}: {} new, {} changed, {} as before; {} forgotten", counts.active,
                           counts.active == 1 ? "task" : "tasks", counts.added, counts.changed,
                           counts.active - counts.added - counts.changed, counts.forgotten));
}

Json observation_json(const Session& session, const Observation& seen, const std::string& file) {
  const SightingCounts& counts = seen.counts;
  return {{"schema", "taskctl.observe/1"},
          {"target", session.target_name()},
          {"profile", session.profile.name},
          {"now", format_instant(seen.now)},
          {"active", counts.active},
          {"new", counts.added},
          {"changed", counts.changed},
          {"unchanged", counts.active - counts.added - counts.changed},
          {"forgotten", counts.forgotten},
          {"complete", seen.complete},
          {"file", file}};
}

}  // namespace

void declare_observe(CLI::App& app, ObserveOptions& options) {
  options.target.declare(app);
  // What was seen was seen now.
  app.remove_option(app.get_option("--now"));
  options.output.declare(app);
}

int run_observe(Context& context, const ObserveOptions& options) {
  const std::unique_ptr<Session> session = context.open(options.target, nullptr, Access::read, false);
  const Sightings& sightings = require_sightings(*session);
  const Observation seen = observe_tasks(*session->store, sightings, {});
  const std::string file = sightings.place().file.string();
  Streams& streams = context.streams();
  if (!seen.complete) {
    streams.warn("row-level security hides rows: nobody was forgotten");
  }
  if (options.output.format == OutputFormat::json) {
    streams.line(dump_pretty(observation_json(*session, seen, file)));
  } else if (!streams.options().quiet) {
    print_observation(streams, seen);
    streams.talk("noted in " + file);
  }
  return static_cast<int>(ExitCode::ok);
}

}  // namespace taskctl
