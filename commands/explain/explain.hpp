#pragma once

#include <string>

#include "cli/context.hpp"

namespace taskctl {

struct ExplainOptions {
  std::string rule;   ///< empty: list the rules
};

void declare_explain(CLI::App& app, ExplainOptions& options);
/// Prints the page of docs/rules/ about a rule, or the list of rules. Opens nothing.
int run_explain(Context& context, const ExplainOptions& options);

}  // namespace taskctl
