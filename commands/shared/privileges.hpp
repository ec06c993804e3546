#pragma once

#include "cli/context.hpp"
#include "engine/plan.hpp"

namespace taskctl {

/// Before a backup is made of what the role then cannot write: throws Error{access} that names every missing right, by
/// column, and the statements that give it.
void require_privileges(const Session& session, const Plan& plan);

}  // namespace taskctl
