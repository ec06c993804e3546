#include "base/clock.hpp"

#include <catch2/catch.hpp>
#include <ctime>

using namespace taskctl;

TEST_CASE("the machine's clock agrees with time and never goes back") {
  const Clock& clock = system_clock();
  const std::time_t before = std::time(nullptr);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(clock.now()).time_since_epoch().count();
  const std::time_t after = std::time(nullptr);
  CHECK(seconds >= before - 1);
  CHECK(seconds <= after + 1);
  const auto first = clock.steady();
  CHECK(clock.steady() >= first);
}
