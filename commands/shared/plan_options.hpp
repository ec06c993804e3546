#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "base/time.hpp"

namespace taskctl {

/// --save-plan --expires --plan --strict
struct PlanOptions {
  std::string save;                 ///< --save-plan: write the plan to this file and change nothing
  std::string file;                 ///< --plan: apply the plan of this file
  std::optional<Duration> expires;  ///< how long the saved plan is good for
  bool strict = false;

  /// To be called after all other options of the command: those that a saved plan has answered already exclude --plan.
  void declare(CLI::App& app);
};

/// How long a saved plan is good for when nobody says.
inline constexpr Duration k_plan_lifetime = std::chrono::hours{1};

}  // namespace taskctl
