#pragma once

#include <vector>

#include "cli/command.hpp"

namespace taskctl {

/// The one list of subcommands, in the order in which --help shows them.
std::vector<Command> all_commands();

}  // namespace taskctl
