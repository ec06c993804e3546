#pragma once

#include <string>

#include "cli/context.hpp"
#include "cli/options.hpp"
#include "commands/profile/profile_init.hpp"

namespace taskctl {

struct ProfileOptions {
  enum class Action { none, list, show, check, init };
  Action action = Action::none;
  TargetOptions target;
  OutputOptions output;
  std::string name;  ///< of show: a built-in name or a file
  ProfileInitOptions init;
};

void declare_profile(CLI::App& app, ProfileOptions& options);
/// check: 0 when it fits and everything is mapped and permitted; 11 when it does not fit.
int run_profile(Context& context, const ProfileOptions& options);

}  // namespace taskctl
