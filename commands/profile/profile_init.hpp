#pragma once

#include <string>

#include "cli/context.hpp"
#include "cli/options.hpp"
#include "engine/guessed_profile.hpp"
#include "engine/profile_guess.hpp"

namespace taskctl {

/// Of `profile init`. Every guess has a flag that decides it.
struct ProfileInitOptions {
  std::string file;  ///< where the profile is written; empty: ./NAME.toml; "-": standard output
  bool force = false;
  std::string name;  ///< of the profile; empty: from the table's
  Answers answers;
  ProfileTextOptions text;
};

void declare_profile_init(CLI::App& app, ProfileInitOptions& options);

/// Looks at the database through a connection that cannot write, asks on a terminal what it cannot tell, and writes a
/// profile with every guess and its reason. Throws Error{refused} with the deciding flag when nobody can be asked.
int run_profile_init(Context& context, const TargetOptions& target, const OutputOptions& output,
                     const ProfileInitOptions& options);

}  // namespace taskctl
