#pragma once

#include "base/time.hpp"

namespace taskctl {

/// The only place that reads the time. Ages use the database's clock (Connection::now()); this one
/// is for what happens on this machine: backup names, plan expiry, progress, waits.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Instant now() const = 0;
  /// For measuring; never goes back.
  [[nodiscard]] virtual std::chrono::steady_clock::time_point steady() const = 0;
};

/// The machine's clock.
const Clock& system_clock();

}  // namespace taskctl
