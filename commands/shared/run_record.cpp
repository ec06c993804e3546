#include "commands/shared/run_record.hpp"

#include <utility>

#include "base/environment.hpp"
#include "engine/applier.hpp"

namespace taskctl {

RunRecord new_run_record(Context& context, Session& session, std::string command, std::string reason) {
  RunRecord run;
  run.started = session.connection->now();
  run.id = new_run_id(run.started);
  run.command = std::move(command);
  run.author = current_author();
  run.reason = std::move(reason);
  run.arguments = context.argument_text();
  run.version = TASKCTL_VERSION;
  run.profile = session.profile.name;
  run.profile_hash = session.profile.hash;
  return run;
}

}  // namespace taskctl
