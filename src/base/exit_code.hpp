#pragma once

#include <array>
#include <string_view>

namespace taskctl {

/// How the process ends. One table for code, manual pages, JSON and tests.
/// After the first commit only ok, partial, in_doubt, stopped, bug and 128+signal are possible.
/// 124-127 and 137 are never used: timeout(1) and the shell own them.
enum class ExitCode : int {
  ok = 0,
  failed = 1,
  usage = 2,
  partial = 3,
  findings = 4,
  refused = 5,
  locked = 6,
  backup = 7,
  unavailable = 8,
  in_doubt = 9,
  access = 10,
  mismatch = 11,
  stopped = 12,
  stale = 13,
  bug = 70,
};

struct ExitCodeInfo {
  ExitCode code;
  std::string_view name;
  std::string_view meaning;
};

/// Every code with its name ("in-doubt") and one line for the manual pages.
inline constexpr auto k_exit_codes = std::to_array<ExitCodeInfo>({
    {ExitCode::ok, "ok", "done and verified; nothing to do; moved on; --limit reached"},
    {ExitCode::failed, "failed", "failure without its own code, nothing committed"},
    {ExitCode::usage, "usage", "command line or configuration is wrong; nothing was opened"},
    {ExitCode::partial, "partial",
     "something that was asked for was not done: conflict, busy, failed rows, unknown ids; listed"},
    {ExitCode::findings, "findings", "only with --exit-code: something was found, or the plan is not empty"},
    {ExitCode::refused, "refused", "a guard said no; nothing changed"},
    {ExitCode::locked, "locked", "another run, or a writer, held the lock longer than the wait"},
    {ExitCode::backup, "backup", "backup or its verification failed; repair not started"},
    {ExitCode::unavailable, "unavailable", "cannot connect, or connection lost before any commit"},
    {ExitCode::in_doubt, "in-doubt", "a commit's outcome is unknown and could not be resolved"},
    {ExitCode::access, "access", "authentication or privilege, including row-level security that hides rows"},
    {ExitCode::mismatch, "mismatch", "corrupt database, hot journal, or tables that do not fit the profile"},
    {ExitCode::stopped, "stopped", "run time or stop file reached; work remains, everything so far is durable"},
    {ExitCode::stale, "stale", "the plan is expired, already applied, edited, or for another database"},
    {ExitCode::bug, "bug", "internal error"},
});

/// Name of a code; "signal" for 128+n, "unknown" for anything else.
constexpr std::string_view exit_code_name(int code) {
  for (const ExitCodeInfo& info : k_exit_codes) {
    if (static_cast<int>(info.code) == code) {
      return info.name;
    }
  }
  return code > 128 && code < 128 + 65 ? "signal" : "unknown";
}

}  // namespace taskctl
