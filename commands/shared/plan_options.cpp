#include "commands/shared/plan_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/duration.hpp"
#include "base/error.hpp"
#include "cli/options.hpp"

namespace taskctl {

namespace {

/// They say where and how a plan is applied. Everything else says what would be planned, and a saved plan has decided
/// that.
constexpr auto k_with_plan = std::to_array<std::string_view>({
    "help",         "db",         "target",    "profile",        "config",      "password-file", "journal-schema",
    "lock-timeout", "output",     "quiet",     "color",          "colour",      "dry-run",       "yes",
    "max-changes",  "batch-size", "lock-wait", "reconnect-wait", "confirm",     "backup",        "no-backup",
    "backup-dir",   "max-stall",  "exit-code", "sleep",          "max-runtime", "stop-file",
});

bool goes_with_plan(const CLI::Option& option) {
  return std::ranges::any_of(option.get_lnames(), [](const std::string& name) {
    return std::ranges::find(k_with_plan, name) != k_with_plan.end();
  });
}

CLI::Option* add_file(CLI::App& app, const std::string& name, const std::string& description, std::string& path) {
  return add_parsed(app, name, description,
                    [name, &path](const std::string& text) {
                      if (text.empty()) {
                        throw Error{ExitCode::usage, fmt::format("option '{}' needs a value, and it is empty", name)};
                      }
                      path = text;
                    })
      ->type_name("FILE")
      ->group("Plan");
}

}  // namespace

void PlanOptions::declare(CLI::App& app) {
  const std::vector<CLI::Option*> others = app.get_options();
  CLI::Option* saves =
      add_file(app, "--save-plan", "write the plan to this new file, to be applied later, and change nothing", save);
  CLI::Option* applies = add_file(app, "--plan", "apply the plan of this file, and nothing else", file);
  CLI::Option* lifetime = add_parsed(app, "--expires", "how long the saved plan may be applied (default 1h)",
                                     [this](const std::string& text) {
                                       expires = parse_duration(text, BareNumber::refused, "--expires");
                                       if (*expires <= Duration::zero()) {
                                         throw Error{ExitCode::usage, "option '--expires' must be more than nothing"};
                                       }
                                     })
                              ->type_name("DURATION")
                              ->group("Plan");
  CLI::Option* all = app.add_flag("--strict", strict)
                         ->description("all tasks in one transaction, or none when one is not as planned")
                         ->group("Plan");
  lifetime->needs(saves)->excludes(applies);
  saves->excludes(applies)->excludes(all)->excludes(app.get_option("--yes"));
  for (CLI::Option* option : others) {
    if (!goes_with_plan(*option)) {
      applies->excludes(option);
    }
  }
}

}  // namespace taskctl
