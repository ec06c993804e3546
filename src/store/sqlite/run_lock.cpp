#include "store/sqlite/run_lock.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/environment.hpp"
#include "base/error.hpp"
#include "base/file_lock.hpp"
#include "base/timestamp.hpp"

namespace taskctl {

namespace {

constexpr std::chrono::milliseconds k_pause{50};

class SqliteRunLock final : public RunLock {
 public:
  explicit SqliteRunLock(FileLock lock) : m_lock{std::move(lock)} {}
  /// A file lock has no session that could be lost: it is ours until this object ends.
  void check() override {}
  void retake() override {}

 private:
  FileLock m_lock;
};

std::string holder_note(const LockRequest& request) {
  const Author author = current_author();
  const std::string user =
      author.sudo_user.empty() ? author.user : fmt::format("{} (sudo by {})", author.user, author.sudo_user);
  return fmt::format("{}@{} pid {} since {} ({})", user, author.host, author.pid,
                     format_instant(std::chrono::floor<std::chrono::seconds>(system_clock().now())), request.command);
}

}  // namespace

std::filesystem::path run_lock_path(const Connection& connection) {
  return std::filesystem::path{connection.server().database + ".taskctl-lock"};
}

std::unique_ptr<RunLock> acquire_sqlite_run_lock(const Connection& connection, const LockRequest& request) {
  const std::filesystem::path path = run_lock_path(connection);
  const std::string note = holder_note(request);
  const auto deadline = system_clock().steady() + request.wait;
  while (true) {
    std::string holder;
    if (std::optional<FileLock> lock = FileLock::try_acquire(path, note, holder)) {
      return std::make_unique<SqliteRunLock>(std::move(*lock));
    }
    if (request.stop != nullptr && request.stop->requested()) {
      throw InterruptedError{"stopped while waiting for the lock of another run"};
    }
    if (system_clock().steady() >= deadline) {
      throw Error{ExitCode::locked,
                  fmt::format("another taskctl run holds the lock: {}", holder.empty() ? "it left no name" : holder),
                  "Wait until it is done, or give --lock-wait a longer time."};
    }
    std::this_thread::sleep_for(k_pause);
  }
}

}  // namespace taskctl
