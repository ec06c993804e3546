#include "commands/shared/run_record.hpp"

#include <algorithm>
#include <array>
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

bool is_resumable(const RunRecord& run) {
  constexpr std::array<std::string_view, 4> k_repairs{"reconcile", "cancel", "release-worker", "undo"};
  return run.state != RunState::pruning && std::ranges::find(k_repairs, run.command) != k_repairs.end();
}

std::string resumed_run(const RunRecord& run) {
  constexpr std::string_view k_resume = "resume ";
  return run.command.starts_with(k_resume) ? run.command.substr(k_resume.size()) : "";
}

}  // namespace taskctl
