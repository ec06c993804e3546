#pragma once

#include <string>

#include "base/time.hpp"

namespace taskctl {

/// A writing command that was refused or failed. It left no run in a journal, so it is noted on this machine.
struct FailedAttempt {
  std::string command;
  std::string arguments;  ///< redacted, shell-quoted
  int code = 0;
  std::string message;
  Instant time{};
};

/// Appends one line to state_folder()/attempts.jsonl (mode 0600). Best effort: whatever goes wrong, nothing is thrown.
void record_attempt(const FailedAttempt& attempt) noexcept;

}  // namespace taskctl
