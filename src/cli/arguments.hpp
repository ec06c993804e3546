#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace taskctl {

/// A command line made safe for CLI11: every value is bound to its option by '=', values and positionals are shielded,
/// "--" is gone.
struct PreparedArguments {
  std::vector<std::string> arguments;
  CLI::App* leaf = nullptr;  ///< the nested subcommand that was named, or the command itself
  bool help = false;         ///< --help or -h stands among the options
};

/// Walks the arguments of one command along its declared options. Throws Error{usage} for an unknown option or
/// subcommand (with the nearest one), a missing value, a value for a flag, and an option's name where its value should
/// be
/// (`--reason --dry-run` would else run without the dry run).
PreparedArguments prepare_arguments(CLI::App& command, const std::vector<std::string>& arguments);

/// Makes every option and positional of `app` and its subcommands unshield its values before anything looks at them.
void unshield_all(CLI::App& app);

/// Parses prepared arguments; throws Error{usage} instead of CLI11's exceptions.
void parse_prepared(CLI::App& command, const PreparedArguments& prepared);

/// Every subcommand of `app`, in order of declaration.
std::vector<CLI::App*> subcommands_of(CLI::App& app);

/// The option `name` ("--quiet") of `app` or of the commands that it stands under; nullptr when there is none.
CLI::Option* find_option(CLI::App& app, const std::string& name);

}  // namespace taskctl
