#include "commands/completion/completion.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "cli/app.hpp"
#include "cli/value_kind.hpp"
#include "completions/scripts.hpp"

namespace taskctl {

namespace {

std::vector<std::string> shells() {
  std::vector<std::string> names;
  for (const CompletionScript& script : k_completion_scripts) {
    names.emplace_back(script.name);
  }
  return names;
}

}  // namespace

void declare_completion(CLI::App& app, CompletionOptions& options) {
  set_choices(app.add_option("SHELL", options.shell)->description("bash, zsh or fish")->required(), shells());
}

int run_completion(Context& context, const CompletionOptions& options) {
  const std::string shell = unshield(options.shell);
  const auto* const script = std::find_if(k_completion_scripts.begin(), k_completion_scripts.end(),
                                          [&](const CompletionScript& one) { return one.name == shell; });
  if (script == k_completion_scripts.end()) {
    throw_unknown_choice("shell", shell, shells());
  }
  context.streams().out(script->text);
  return static_cast<int>(ExitCode::ok);
}

}  // namespace taskctl
