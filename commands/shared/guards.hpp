#pragma once

#include "cli/context.hpp"
#include "cli/options.hpp"
#include "engine/plan.hpp"
#include "view/format.hpp"

namespace taskctl {

/// Limits and confirmation before the first write (design 4.9): --yes or an answer on a terminal, --max-changes, the
/// name of a protected target. Throws Error{refused} whose hint is what to type to go on. JSON never asks. Somebody has
/// looked at a plan from a file: only a --max-changes on the command line limits it.
void require_permission(Context& context, const Session& session, const Plan& plan, const ChangeOptions& change,
                        OutputFormat format, bool from_file);

/// The same for a change of the schema, which has no tasks to count. `action` is what a person is asked: "guard
/// remove".
void require_permission(Context& context, const Session& session, const std::string& action,
                        const ChangeOptions& change, OutputFormat format);

/// Statuses in use that the profile does not map stop every command that rests on it: who does not know one may be wrong
/// about others too. Taking back (undo) asks no profile. Throws Error{mismatch} unless the hazard is accepted.
void require_mapped_statuses(const Session& session, const std::string& command,
                             const std::vector<std::string>& unmapped);

}  // namespace taskctl
