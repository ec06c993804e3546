#pragma once

#include "cli/context.hpp"
#include "cli/options.hpp"
#include "engine/grants.hpp"

namespace taskctl {

struct GrantsOptions {
  TargetOptions target;
  OutputOptions output;
  GrantRequest request;
};

void declare_grants(CLI::App& app, GrantsOptions& options);
/// Prints, and changes nothing. 2 for SQLite, where files have rights and roles do not exist.
int run_grants(Context& context, const GrantsOptions& options);

}  // namespace taskctl
