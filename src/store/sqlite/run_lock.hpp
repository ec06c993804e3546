#pragma once

#include <filesystem>
#include <memory>

#include "store/connection.hpp"
#include "store/run_lock.hpp"

namespace taskctl {

/// `<database>.taskctl-lock` beside the real file, whatever name it was opened by.
[[nodiscard]] std::filesystem::path run_lock_path(const Connection& connection);

/// An OS lock on run_lock_path(): the kernel drops it with its holder, so there is no stale one. Throws Error{locked}
/// with the holder's note, InterruptedError when a stop is requested while waiting.
[[nodiscard]] std::unique_ptr<RunLock> acquire_sqlite_run_lock(const Connection& connection,
                                                               const LockRequest& request);

}  // namespace taskctl
