#pragma once

#include <string>

#include "cli/context.hpp"
#include "cli/options.hpp"

namespace taskctl {

struct ResumeOptions {
  TargetOptions target;
  ChangeOptions change;
  OutputOptions output;
  std::string run;
  std::string plan_file;  ///< --plan: of a run that applied a saved plan
};

void declare_resume(CLI::App& app, ResumeOptions& options);
/// Goes on with a run that was stopped, failed or killed: the rest is planned afresh from what the run was asked to do,
/// shown, confirmed and applied under the same run id, so that one undo takes all of it back. Tasks that the run has
/// changed are left alone. 0 when nothing is left.
int run_resume(Context& context, const ResumeOptions& options);

}  // namespace taskctl
