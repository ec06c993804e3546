#include "base/stop.hpp"

#include <catch2/catch.hpp>
#include <thread>

using namespace taskctl;

TEST_CASE("the first request is remembered and is not urgent") {
  StopSource stop;
  int interrupted = 0;
  stop.set_interrupter([&] { interrupted += stop.urgent() ? 100 : 1; });
  CHECK_FALSE(stop.requested());
  CHECK(stop.signal() == 0);
  stop.request(15);
  CHECK(stop.requested());
  CHECK(stop.signal() == 15);
  CHECK_FALSE(stop.urgent());
  CHECK(interrupted == 1);
}

TEST_CASE("the second request is urgent and keeps the first signal") {
  StopSource stop;
  int interrupted = 0;
  stop.set_interrupter([&] { interrupted += stop.urgent() ? 1 : 0; });
  stop.request(2);
  stop.request(15);
  CHECK(stop.urgent());
  CHECK(stop.signal() == 2);
  CHECK(interrupted == 1);
  stop.request(15);
  CHECK(interrupted == 2);
}

TEST_CASE("a forgotten interrupter does not run") {
  StopSource stop;
  bool interrupted = false;
  stop.set_interrupter([&interrupted] { interrupted = true; });
  stop.set_interrupter({});
  stop.request(2);
  stop.request(2);
  CHECK(stop.urgent());
  CHECK_FALSE(interrupted);
}

TEST_CASE("requests of two threads are all counted") {
  StopSource stop;
  std::atomic<int> interrupted{0};
  stop.set_interrupter([&interrupted] { ++interrupted; });
  std::thread one{[&stop] { stop.request(2); }};
  std::thread two{[&stop] { stop.request(15); }};
  one.join();
  two.join();
  CHECK(stop.urgent());
  CHECK((stop.signal() == 2 || stop.signal() == 15));
  CHECK(interrupted == 2);
}
