#pragma once

#include <cstddef>

#include "base/time.hpp"

namespace taskctl {

/// How many units the next transaction takes, so that one transaction lasts about as long as it should: an exponential
/// average of the time per unit, growing by half at most, halved after a lock conflict, between 1 and 5,000.
class BatchSizer {
 public:
  BatchSizer(std::size_t start, Duration target);
  /// Always `size`, whatever is measured.
  static BatchSizer fixed(std::size_t size);

  [[nodiscard]] std::size_t size() const { return m_size; }
  /// From now on; not less than `least` units, however long they take: on a machine where everything waits, batches
  /// that get smaller and smaller would not end.
  void aim(Duration target, std::size_t least = 1);
  void measured(std::size_t units, Duration elapsed);
  void was_busy();

 private:
  std::size_t m_size;
  std::size_t m_least = 1;
  double m_target_us = 1;
  double m_us_per_unit = 0;  ///< 0: nothing measured yet
  bool m_fixed = false;
};

}  // namespace taskctl
