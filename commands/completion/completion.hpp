#pragma once

#include <string>

#include "cli/context.hpp"
#include "cli/options.hpp"

namespace taskctl {

struct CompletionOptions {
  std::string shell;
};

void declare_completion(CLI::App& app, CompletionOptions& options);
int run_completion(Context& context, const CompletionOptions& options);

}  // namespace taskctl
