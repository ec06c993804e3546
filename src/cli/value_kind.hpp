#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace taskctl {

/// What the value of an option or argument is. The name that help shows for it ("FILE") says it, so that help, manual
/// pages and completion have one source.
enum class ValueKind {
  free,       ///< a text, number, age or time: nothing can be offered
  file,       ///< a path of a file
  folder,     ///< a path of a folder
  database,   ///< a SQLite file or a location
  target,     ///< a target of the configuration files
  profile,    ///< a built-in profile or a file
  run,        ///< a run of the current target's journal
  task,       ///< a task of the current target
  attribute,  ///< a worker, kind, queue, user or status that unfinished tasks of the current target have
  rule,
  hazard,
};

/// Kind of the value that help calls `name`; nullopt when no kind has that name.
[[nodiscard]] std::optional<ValueKind> value_kind(std::string_view name);

/// Every name that has a kind, for the test that finds options without one.
[[nodiscard]] std::vector<std::string> value_names();

/// Notes that `option` takes one of `choices` (texts without commas). Checks nothing: that is the parser's.
CLI::Option* set_choices(CLI::Option* option, const std::vector<std::string>& choices);

/// What set_choices noted; empty when the option is not an enumerated one.
[[nodiscard]] std::vector<std::string> choices_of(CLI::Option& option);

/// "FILE": the name of the option's value, or of the argument.
[[nodiscard]] std::string value_name(const CLI::Option& option);

}  // namespace taskctl
