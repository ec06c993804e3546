#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/command_facts.hpp"

namespace taskctl {

/// What `taskctl --help` prints. `width`: columns to wrap at.
[[nodiscard]] std::string overview_text(const std::vector<Command>& commands, std::size_t width);

/// What `taskctl NAME --help` prints: usage, options by group, subcommands, exit codes.
[[nodiscard]] std::string command_help(const CommandFacts& facts, std::size_t width);

}  // namespace taskctl
