#pragma once

#include "cli/context.hpp"
#include "cli/options.hpp"

namespace taskctl {

struct ObserveOptions {
  TargetOptions target;
  OutputOptions output;
};

void declare_observe(CLI::App& app, ObserveOptions& options);
/// 0; 6 while another observation goes on. Reads the target and writes a file of our own.
int run_observe(Context& context, const ObserveOptions& options);

}  // namespace taskctl
