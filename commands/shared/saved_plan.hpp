#pragma once

#include <memory>
#include <string>

#include "cli/context.hpp"
#include "cli/options.hpp"
#include "commands/shared/plan_options.hpp"
#include "view/plan_file.hpp"

namespace taskctl {

/// --save-plan: writes the file. Throws Error{refused} when the name is taken.
PlanFileInfo save_plan(Context& context, Session& session, const Plan& plan, const PlanOptions& options);

/// "saved to FILE: 3 tasks, good until …; apply it with: taskctl …"
[[nodiscard]] std::string saved_text(const Plan& plan, const PlanFileInfo& info, const std::string& path,
                                     const TargetOptions& target);

/// A plan from a file, and the database that it is for, opened for reading.
struct OpenPlan {
  SavedPlan saved;
  std::unique_ptr<Session> session;
};

/// --plan: reads the file and opens its database. Throws Error{usage} when it is a plan of another command,
/// Error{stale} when it must not be applied: damaged, expired, applied already, for another database, profile or
/// schema. `resumes`: its run goes on, so that it may have been applied in part.
OpenPlan open_saved_plan(Context& context, const std::string& command, const PlanOptions& options,
                         const TargetOptions& target, bool resumes = false);

/// Opens the database for reading, with the plan's profile where that is built in; it must be the plan's.
std::unique_ptr<Session> open_for_plan(Context& context, TargetOptions target, const SavedPlan& saved,
                                       bool command_writes);

}  // namespace taskctl
