#pragma once

#include <string>

#include "base/stop.hpp"
#include "base/time.hpp"

namespace taskctl {

/// One writer at a time per target. Held until destroyed; a killed holder frees it (the server or the
/// kernel drops the lock), nothing is left to break by hand.
class RunLock {
 public:
  virtual ~RunLock() = default;
  /// Still ours? PostgreSQL: the session that took it is still the session. Throws Error{unavailable} when not.
  virtual void check() = 0;
  /// Takes it again over the new session of a connection that was lost. Throws Error{locked} when another run has it.
  virtual void retake() = 0;
};

struct LockRequest {
  std::string command;  ///< shown to whoever is refused
  Duration wait{};      ///< 0: fail at once
  const StopSource* stop = nullptr;
};

// Drivers throw Error{locked} "another taskctl run holds the lock: USER@HOST pid N since T (COMMAND)" when the wait is
// over.

}  // namespace taskctl
