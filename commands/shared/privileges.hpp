#pragma once

#include "cli/context.hpp"
#include "engine/plan.hpp"

namespace taskctl {

/// Before a backup is made of what the role then cannot write: throws Error{access} that names every missing right, by
/// column, and the statements that give it.
void require_privileges(const Session& session, const Plan& plan);

/// The same for the journal alone, when there is one.
void require_journal_rights(const Session& session, Journal::Rights rights);

}  // namespace taskctl
