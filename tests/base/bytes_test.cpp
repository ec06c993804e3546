#include "base/bytes.hpp"

#include <catch2/catch.hpp>
#include <limits>

using namespace taskctl;

TEST_CASE("fields read back in the order of writing") {
  ByteWriter writer;
  writer.number(std::numeric_limits<std::int64_t>::min());
  writer.text(std::string_view{"a\0\xff", 3});
  writer.real(-0.5);
  writer.text("");
  ByteReader reader{writer.bytes()};
  CHECK(reader.number() == std::numeric_limits<std::int64_t>::min());
  CHECK(reader.text() == std::string_view{"a\0\xff", 3});
  CHECK(reader.real() == -0.5);
  CHECK(reader.text().empty());
  CHECK_THROWS_AS(reader.number(), std::out_of_range);
  writer.clear();
  CHECK(writer.bytes().empty());
}

TEST_CASE("a record that was cut is refused") {
  ByteWriter writer;
  writer.text("ten bytes!");
  const std::string cut = writer.bytes().substr(0, 12);
  ByteReader reader{cut};
  CHECK_THROWS_AS(reader.text(), std::out_of_range);
}
