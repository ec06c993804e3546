#pragma once

#include "base/time.hpp"

namespace taskctl {

/// What a connection can do for speed, and for others, while many short transactions belong together. Of
/// SqliteConnection only: in PostgreSQL every commit is durable by itself, and nobody waits for the writer of other
/// rows.
class Batching {
 public:
  virtual ~Batching() = default;

  /// Outside of transactions. While it is on, a power failure (not a crash of the process) may take the newest commits
  /// with it, never one in between; the first commit after it makes all of them durable.
  virtual void set_batching(bool on) = 0;
  /// Outside of transactions. Returns when somebody else has written, or after `longest`: who has just written wants the
  /// one lock least.
  virtual void await_write(Duration longest) const = 0;
};

}  // namespace taskctl
