#include "view/histogram.hpp"

#include <catch2/catch.hpp>

#include "support/streams.hpp"

using namespace taskctl;

TEST_CASE("a bar is as long as its share and what is there always shows") {
  CHECK(bar_text(8, 8, 4, true) == "████");
  CHECK(bar_text(4, 8, 4, true) == "██");
  CHECK(bar_text(3, 8, 4, true) == "█▌");
  CHECK(bar_text(1, 1000000, 4, true) == "▏");
  CHECK(bar_text(0, 8, 4, true).empty());
  CHECK(bar_text(0, 0, 4, true).empty());
}

TEST_CASE("without utf-8 a bar is made of number signs") {
  CHECK(bar_text(8, 8, 4, false) == "####");
  CHECK(bar_text(5, 8, 4, false) == "##");
  CHECK(bar_text(1, 1000000, 4, false) == "#");
}

TEST_CASE("bars fill what the terminal leaves and figures stay without room for bars") {
  const auto at = [](std::size_t width, bool utf8) {
    test::CapturedStreams captured{{.width = width, .utf8 = utf8}};
    print_bars(captured.streams, {{"under 1m", 3}, {"1m to 5m", 0}, {"age unknown", 12}});
    return captured.out;
  };
  CHECK(at(27, false) ==
        "  under 1m      3  ##\n"
        "  1m to 5m      0\n"
        "  age unknown  12  ########\n");
  CHECK(at(20, true) ==
        "  under 1m      3\n"
        "  1m to 5m      0\n"
        "  age unknown  12\n");
  CHECK(at(0, false).find(std::string(40, '#') + "\n") != std::string::npos);
}
