#pragma once

#include <optional>
#include <string>

#include "cli/context.hpp"
#include "cli/options.hpp"
#include "store/backup.hpp"

namespace taskctl {

struct BackupOptions {
  enum class Action { make, list, verify, restore };
  Action action = Action::make;
  TargetOptions target;
  OutputOptions output;
  std::string folder, name;
  std::optional<VerifyLevel> verify;
  std::optional<std::size_t> keep;
  std::optional<Duration> keep_within, max_stall;
  std::string file;  ///< of verify and restore
  std::string to;    ///< of restore
};

void declare_backup(CLI::App& app, BackupOptions& options);
int run_backup(Context& context, const BackupOptions& options);

}  // namespace taskctl
