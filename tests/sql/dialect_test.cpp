#include "sql/dialect.hpp"

#include <catch2/catch.hpp>

#include "base/error.hpp"

namespace taskctl {

namespace {

const Dialect k_of_sqlite{Engine::sqlite};
const Dialect k_of_postgres{Engine::postgres};

}  // namespace

TEST_CASE("identifiers are quoted whatever they contain") {
  CHECK(k_of_sqlite.identifier("tasks") == "\"tasks\"");
  CHECK(k_of_postgres.identifier("a\"b; --") == "\"a\"\"b; --\"");
  CHECK(k_of_postgres.table({"app", "t"}) == "\"app\".\"t\"");
  CHECK(k_of_sqlite.table({"", "t"}) == "\"t\"");
  CHECK_THROWS_AS(k_of_sqlite.identifier(""), Error);
  CHECK_THROWS_AS(k_of_sqlite.identifier(std::string_view{"a\0b", 3}), Error);
}

TEST_CASE("literals are quoted whatever they contain") {
  CHECK(k_of_sqlite.literal("it's") == "'it''s'");
  CHECK(k_of_sqlite.literal("a\\b") == "'a\\b'");
  CHECK(k_of_postgres.literal("it's") == "'it''s'");
  CHECK(k_of_postgres.literal("a\\'b") == "E'a\\\\''b'");
  CHECK_THROWS_AS(k_of_postgres.literal(std::string_view{"a\0b", 3}), Error);
}

TEST_CASE("parameters are numbered and cast from text in postgres") {
  CHECK(k_of_sqlite.parameter(3, "bigint") == "?3");
  CHECK(k_of_postgres.parameter(3, "bigint") == "$3::text::bigint");
  CHECK(k_of_postgres.parameter(1, "text") == "$1::text");
  CHECK(k_of_postgres.parameter(1, "") == "$1::text");
}

TEST_CASE("images keep types in sqlite and are text in postgres") {
  CHECK(k_of_sqlite.as_image("a") == "a");
  CHECK(k_of_postgres.as_image("a") == "a::text");
  CHECK(k_of_sqlite.as_text("a") == "CAST(a AS TEXT)");
  CHECK(k_of_postgres.as_text("a") == "a::text");
}

TEST_CASE("only time types are turned into microseconds") {
  CHECK(k_of_sqlite.as_time("a", "TIMESTAMP") == "a");
  CHECK(k_of_postgres.as_time("a", "bigint") == "a::text");
  CHECK(k_of_postgres.as_time("a", "timestamp with time zone[]") == "a::text");
  CHECK(k_of_postgres.as_time("a", "timestamp with time zone").find("1000000") != std::string::npos);
  CHECK(k_of_postgres.as_time("a", "timestamp(3) without time zone").find("timestamptz") == std::string::npos);
  CHECK(k_of_postgres.as_time("a", "date").find("1000000") != std::string::npos);
}

TEST_CASE("row locks skip rows that others hold") {
  CHECK(k_of_sqlite.lock_clause("t").empty());
  CHECK(k_of_postgres.lock_clause("t") == " FOR UPDATE OF t SKIP LOCKED");
}

}  // namespace taskctl
