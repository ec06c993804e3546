#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/stop.hpp"
#include "base/time.hpp"

namespace taskctl {

struct ProcessResult {
  int status = 0;      ///< exit status; 128+n when ended by signal n; 127 when the program was not found
  std::string output;  ///< its standard output, at most 1 MiB
  std::string error;   ///< its standard error, at most 64 KiB
  bool timed_out = false;
  bool gave_up = false;      ///< ended because its ProcessWatch saw no use in waiting
  bool output_held = false;  ///< it had ended, and something that it started still held its standard output open
};

/// For a program that may take any time as long as it gets on: it, or somebody that it waits for.
struct ProcessWatch {
  Duration silence{};                 ///< so long without a byte, a disk or a computation of its own, and somebody is asked
  std::function<bool()> is_worth_it;  ///< asked then, and again after twice the time; none: nobody watches
};

/// Runs a program without a shell, standard input closed. `environment` entries ("PGPASSWORD=…") are
/// added to ours, so that no secret stands on a command line. Ends it when `limit` has passed or a
/// stop is requested, or when `watch` gives it up: SIGTERM, once more after half of `grace`, SIGKILL after all of it.
/// Throws Error{failed} when it cannot be started for another reason than "not found".
ProcessResult run_process(const std::vector<std::string>& arguments, const std::vector<std::string>& environment,
                          Duration limit, const StopSource* stop = nullptr, Duration grace = std::chrono::seconds{2},
                          const ProcessWatch& watch = {});

/// Becomes another program, found on the PATH, whose standard input is `input`. Returns only when there is no such
/// program or it cannot be started; then nothing has changed.
void become_process(const std::vector<std::string>& arguments, const std::string& input);

}  // namespace taskctl
