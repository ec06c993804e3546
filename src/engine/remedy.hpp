#pragma once

#include "engine/judge.hpp"

namespace taskctl {

/// Fills outcome and repair of a finding whose rule, certainty, hazards and since are known, and adds to its note and
/// evidence what decided them. Part of judge().
void decide_remedy(Finding& finding, const TaskFacts& facts, const JudgeContext& context);

}  // namespace taskctl
