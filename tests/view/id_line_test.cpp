#include "view/id_line.hpp"

#include <catch2/catch.hpp>

#include "base/error.hpp"

using namespace taskctl;

TEST_CASE("ids stand on a line of their own and read back") {
  CHECK(id_line("task_0048") == "task_0048");
  CHECK(id_line("it's 100%") == "it's 100%");
  CHECK(id_line("[\"a\",\"b\"]") == "[\"a\",\"b\"]");
  CHECK(id_line("a\nvictim") == R"("a\nvictim")");
  CHECK(id_line("a\r") == R"("a\r")");
  CHECK(id_line("\x1b[31mred") == "\"\\u001b[31mred\"");
  CHECK(id_line("\"quoted\"") == R"("\"quoted\"")");
  CHECK(id_line("") == R"("")");
  CHECK(id_line("a\xff") == "a\xff");
  CHECK(id_line("a\n\xff") == std::nullopt);
  for (const std::string id : {"task", "a\nb", "\"", " x ", "\t", "\\n", "задача"}) {
    CHECK(parse_id_line(id_line(id).value()) == id);
  }
}

TEST_CASE("a line that looks like a JSON string must be one") {
  CHECK_THROWS_AS(parse_id_line("\"open"), Error);
  CHECK_THROWS_AS(parse_id_line("\"a\" b"), Error);
  CHECK_THROWS_AS(parse_id_line("\""), Error);
}
