#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "model/finding.hpp"

namespace taskctl {

/// Hazards that every profile has: --accept-hazard takes them.
inline constexpr std::string_view k_unmapped_hazard = "unmapped";  ///< a status in use that the profile does not map
inline constexpr auto k_builtin_hazards = std::to_array<std::string_view>({"alive", "young", "rls", k_unmapped_hazard});

/// Workers or tasks that somebody outside of the database knows to be alive: --alive-from.
struct AliveList {
  std::string source;                        ///< as given: a file or a command
  std::set<std::string, std::less<>> names;  ///< of workers, or ids of tasks
  std::string problem;                       ///< why nobody knows who is alive; empty: `names` is the answer
};

/// Thresholds and permissions of one invocation: profile, then target, then command line.
struct Policy {
  Duration max_age = std::chrono::hours{1};
  bool max_age_given = false;    ///< on the command line: possible findings are repaired then
  std::optional<Duration> reap;  ///< possible findings older than this are repaired without --max-age
  Duration settle = std::chrono::minutes{1};
  Duration cancel_grace = std::chrono::minutes{5};
  Duration young = std::chrono::minutes{5};  ///< hazard `young`: started less than this ago
  std::optional<Duration> queued_max_age;    ///< rule `waiting` is off without it
  std::set<std::string> accepted_hazards;    ///< --accept-hazard
  std::optional<Outcome> outcome;            ///< --outcome: instead of evidence and profile defaults
  bool evidence = true;                      ///< false: --no-evidence, as if the profile declared none
  std::optional<std::string> presumed_dead;  ///< worker that a person says is dead; a source that says alive still wins
  std::shared_ptr<const AliveList> alive;  ///< --alive-from; asked again while a run goes on. nullptr: not given
  std::optional<Outcome> overdue, dead;      ///< --overdue, --dead: instead of the profile's default of the rule
};

}  // namespace taskctl
