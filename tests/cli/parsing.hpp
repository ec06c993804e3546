#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "cli/arguments.hpp"

namespace taskctl::test {

/// Parses as App::run does. Throws Error{usage}.
inline void parse(const std::function<void(CLI::App&)>& declare, const std::vector<std::string>& arguments) {
  CLI::App app{"test", "taskctl test"};
  app.set_help_flag();
  declare(app);
  unshield_all(app);
  parse_prepared(app, prepare_arguments(app, arguments));
}

template <typename Options>
Options parsed(const std::vector<std::string>& arguments) {
  Options options;
  parse([&](CLI::App& app) { options.declare(app); }, arguments);
  return options;
}

/// Message and hint of the Error that `action` throws; "no error" otherwise.
inline std::string error_of(const std::function<void()>& action, ExitCode code = ExitCode::usage) {
  try {
    action();
  } catch (const Error& error) {
    return (error.code() == code ? "" : "wrong code: ") + error.message() + " | " + error.hint();
  }
  return "no error";
}

}  // namespace taskctl::test
