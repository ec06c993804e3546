#pragma once

#include "cli/context.hpp"
#include "cli/options.hpp"

namespace taskctl {

struct ConfigOptions {
  TargetOptions target;
  OutputOptions output;
};

void declare_config(CLI::App& app, ConfigOptions& options);
int run_config(Context& context, const ConfigOptions& options);

}  // namespace taskctl
