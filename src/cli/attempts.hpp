#pragma once

#include <filesystem>
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

/// Where they are noted: state_folder()/attempts.jsonl.
[[nodiscard]] std::filesystem::path attempts_file();

/// Appends one line to attempts_file() (mode 0600). Best effort: whatever goes wrong, nothing is thrown.
void record_attempt(const FailedAttempt& attempt) noexcept;

}  // namespace taskctl
