#include "cli/attempts.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <exception>
#include <filesystem>

#include "base/environment.hpp"
#include "base/exit_code.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "base/timestamp.hpp"
#include "view/json.hpp"

namespace taskctl {

namespace {

std::string attempt_line(const FailedAttempt& attempt) {
  const Author author = current_author();
  return dump({{"time", format_instant(attempt.time)},
               {"command", attempt.command},
               {"arguments", attempt.arguments},
               {"code", attempt.code},
               {"name", std::string{exit_code_name(attempt.code)}},
               {"message", redact(attempt.message)},
               {"user", author.user},
               {"sudo_user", author.sudo_user},
               {"host", author.host},
               {"pid", author.pid}}) +
         "\n";
}

}  // namespace

std::filesystem::path attempts_file() {
  return state_folder() / "attempts.jsonl";
}

void record_attempt(const FailedAttempt& attempt) noexcept {
  try {
    make_private_folder(state_folder());
    const std::string line = attempt_line(attempt);
    const std::string file = attempts_file().string();
    const int descriptor = ::open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0) {
      return;
    }
    // One write, so that lines of commands that fail at the same time do not mix.
    static_cast<void>(!::write(descriptor, line.data(), line.size()));
    ::close(descriptor);
  } catch (const std::exception&) {
    // A note about a failure must not become a failure.
  }
}

}  // namespace taskctl
