#pragma once

#include <map>
#include <optional>
#include <string>

#include "engine/judge.hpp"
#include "engine/plan.hpp"

namespace taskctl {

/// Why a unit is not written, when it is not.
struct Refusal {
  UnitResult result = UnitResult::conflict;
  std::string detail;
  bool gone = false;  ///< the row that the unit is about does not exist any more
};

/// Judges a unit's task again, on its locked row: the finding's rule must fire again and still allow the repair (for a
/// cancel: the task must still be one that may be ended). nullopt: go on. `worker`: what is known now of the worker
/// that a release-worker is about.
[[nodiscard]] std::optional<Refusal> check_again(const PlanUnit& unit, const TaskFacts& facts,
                                                 const JudgeContext& context, const Plan& plan,
                                                 const LivenessVerdict& worker);

/// A plan that was made on another machine, or by another user, knows since when the row is as it is: what is noted
/// here may not. Holds for a row that has not changed.
void recall_sighting(const Task& planned, std::map<TaskKey, TaskFacts>& now);

/// "column 'status' is 'success' instead of 'running'", for at most three columns.
[[nodiscard]] std::string describe_difference(const Image& planned, const Image& actual);

}  // namespace taskctl
