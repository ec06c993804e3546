#include "base/clock.hpp"

namespace taskctl {

namespace {

class MachineClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override { return std::chrono::floor<Duration>(std::chrono::system_clock::now()); }
  [[nodiscard]] std::chrono::steady_clock::time_point steady() const override {
    return std::chrono::steady_clock::now();
  }
};

}  // namespace

const Clock& system_clock() {
  static const MachineClock clock;
  return clock;
}

}  // namespace taskctl
