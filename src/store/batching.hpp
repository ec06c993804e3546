#pragma once

namespace taskctl {

/// What a connection can do for others, and for speed, while many short transactions belong together. Of
/// SqliteConnection only: in PostgreSQL nobody waits for the writer of other rows, and every commit is durable by
/// itself.
class Batching {
 public:
  virtual ~Batching() = default;

  /// Outside of transactions. While it is on, a power failure (not a crash of the process) may take the newest commits
  /// with it, never one in between; the first commit after it makes all of them durable. Somebody else who writes gets
  /// the lock between two transactions.
  virtual void set_batching(bool on) = 0;
  /// Somebody else has written to the database a moment ago, or waited for us: transactions should be short.
  [[nodiscard]] virtual bool is_shared() const = 0;
};

}  // namespace taskctl
