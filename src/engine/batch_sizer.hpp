#pragma once

#include <chrono>
#include <cstddef>

#include "base/time.hpp"
#include "profile/profile.hpp"

namespace taskctl {

/// How long one transaction should last.
struct BatchTargets {
  Duration alone, shared;  ///< shared: beside others who write
  Duration least_room{};   ///< between two, for others who write
};

/// How many units the next transaction takes, so that one transaction lasts about as long as it should: an exponential
/// average of the time per unit, growing by half at most, halved after a lock conflict, between 1 and 5,000.
class BatchSizer {
 public:
  BatchSizer(std::size_t start, BatchTargets targets);
  /// As a run begins. `fixed`: always that many, whatever is measured; 0: sized by time.
  BatchSizer(Engine engine, std::size_t fixed);

  [[nodiscard]] std::size_t size() const { return m_size; }
  void measured(std::size_t units, Duration elapsed);
  /// Whether others wrote beside the transaction that ended at `now`. They are expected for a second more. What is
  /// measured beside them does not make it less than 5 units: on a machine where everything waits, batches that get
  /// smaller and smaller would not end.
  void noticed(bool others, std::chrono::steady_clock::time_point now);
  [[nodiscard]] bool is_shared() const { return m_shared; }
  /// For others who write, after a batch: twice as long as the last one took, within bounds.
  [[nodiscard]] Duration room() const;
  void was_busy();

 private:
  std::size_t m_size;
  BatchTargets m_targets;
  bool m_shared = false;
  Duration m_last{};
  std::chrono::steady_clock::time_point m_last_seen;
  double m_us_per_unit = 0;  ///< 0: nothing measured yet
  bool m_fixed = false;
};

}  // namespace taskctl
