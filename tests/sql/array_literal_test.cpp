#include "sql/array_literal.hpp"

#include <vector>

#include <catch2/catch.hpp>

using namespace taskctl;

TEST_CASE("an array literal keeps apart what looks alike") {
  CHECK(array_literal(std::vector<Value>{}) == "{}");
  CHECK(array_literal(std::vector<Value>{Null{}, std::string{"NULL"}, std::string{}}) == R"({NULL,"NULL",""})");
  CHECK(array_literal(std::vector<Value>{std::string{R"(a"b\c,{d})"}}) == R"({"a\"b\\c,{d}"})");
  CHECK(array_literal(std::vector<Value>{std::int64_t{-7}, 0.5, Blob{std::string{"\x00\xff", 2}}}) ==
        R"({-7,"0.5","\\x00ff"})");
}
