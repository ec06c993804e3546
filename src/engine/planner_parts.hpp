#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/judge.hpp"
#include "engine/plan.hpp"
#include "store/task_store.hpp"

namespace taskctl {

/// Why a task is left alone whose TaskFacts::has_twin.
[[nodiscard]] std::string twin_text(TaskStore& store);

/// Tasks are evaluated this many at a time, so that memory stays flat.
inline constexpr std::size_t k_planner_chunk = 500;

/// A task that gets a unit of its own, if its operations would change anything.
struct Candidate {
  Finding finding;
  std::string reason;                         ///< what :reason stands for
  const OperationList* operations = nullptr;  ///< of the profile
};

/// A plan without units: whose it is, and a nonce of its own.
Plan start_plan(TaskStore& store, const std::string& command);

/// Rows per native status; NULL counts as "NULL".
std::map<std::string, std::int64_t> count_statuses(TaskStore& store);
std::map<std::string, std::int64_t> count_statuses(std::span<const StatusCount> counts);

/// Those of the statuses in use that the profile does not map, as people read them: "'held' (3 rows)".
std::vector<std::string> unmapped_statuses(std::span<const StatusCount> counts);

/// What a plan says beside its units, in the transaction that made them: rows per status, and a warning of statuses
/// that are not mapped and for every table it writes that has triggers which the profile does not name.
void end_plan(Plan& plan, TaskStore& store);

/// Appends one unit per candidate, in order, from the rows as they are in the caller's transaction; those whose
/// operations would change nothing are left out.
void append_units(Plan& plan, TaskStore& store, std::span<const Candidate> candidates);

/// Operations of an outcome; nullptr when the profile has none, or its safety class forbids it. `detail` says which.
const OperationList* operations_for(const Profile& profile, const Finding& finding, std::string& detail);

/// The hazards among `names` that are not accepted, with what the profile says of them; empty when none is left.
std::string open_hazards(const std::vector<std::string>& names, const Profile& profile, const Policy& policy);

}  // namespace taskctl
