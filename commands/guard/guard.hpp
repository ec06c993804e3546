#pragma once

#include <optional>
#include <string>

#include "cli/context.hpp"
#include "cli/options.hpp"
#include "engine/guard.hpp"

namespace taskctl {

struct GuardOptions {
  enum class Action { none, install, status, remove, print, report };
  Action action = Action::none;
  TargetOptions target;
  ChangeOptions change;
  OutputOptions output;
  std::optional<GuardMode> mode;
  bool exit_code = false;  ///< of status
  std::optional<std::size_t> limit;
};

void declare_guard(CLI::App& app, GuardOptions& options);
/// status: 0; with --exit-code 4 when something is missing, differs or is switched off.
/// install: 3 when everything is installed but the constraint could not be validated because the table was busy.
int run_guard(Context& context, const GuardOptions& options);

}  // namespace taskctl
