#pragma once

#include <string>

#include "cli/context.hpp"
#include "cli/options.hpp"

namespace taskctl {

struct ShowOptions {
  TargetOptions target;
  AgeOptions age;
  OutputOptions output;
  std::string id;
  bool no_evidence = false;
};

void declare_show(CLI::App& app, ShowOptions& options);
/// 0; 3 when no task has the id.
int run_show(Context& context, const ShowOptions& options);

}  // namespace taskctl
