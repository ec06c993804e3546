#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/value_kind.hpp"

namespace taskctl {

/// A declared option or argument.
struct OptionFacts {
  std::vector<std::string> names;  ///< "-q", "--quiet"; empty for an argument
  std::string value;               ///< "FILE"; empty for a flag
  std::string description;
  std::string group;  ///< heading under which help lists it
  bool required = false;
  bool repeatable = false;
  ValueKind kind = ValueKind::free;
  std::vector<std::string> choices;
  [[nodiscard]] bool argument() const { return names.empty(); }
  /// "-q, --quiet", "--db PATH|URL", "RUN".
  [[nodiscard]] std::string display() const;
};

/// A command or subcommand as declared: what help, manual pages and completion are made of, so that none of them can
/// say anything else than the parser.
struct CommandFacts {
  std::string name;   ///< "list"
  std::string path;   ///< "taskctl backup list"
  std::string usage;  ///< "taskctl backup list [OPTIONS]"
  std::string summary;
  std::vector<OptionFacts> options;  ///< its own; those of the commands that it stands under are accepted too
  std::vector<CommandFacts> subcommands;
  /// Options by heading, arguments first, headings in order of declaration.
  [[nodiscard]] std::vector<std::pair<std::string, std::vector<OptionFacts>>> groups() const;
};

/// Also works for a subcommand: then `options` holds those of the commands that it stands under, too.
[[nodiscard]] CommandFacts facts_of(CLI::App& app);

/// Declares the command's options; opens nothing.
[[nodiscard]] CommandFacts facts_of(const Command& command);

/// The CLI11 application of one command, ready to be declared on.
[[nodiscard]] std::unique_ptr<CLI::App> empty_app(const Command& command);

}  // namespace taskctl
