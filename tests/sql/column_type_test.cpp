#include "sql/column_type.hpp"

#include <catch2/catch.hpp>

namespace taskctl {

namespace {

std::vector<Value> keys(Engine engine, const char* type, const std::string& text) {
  return key_values(engine, {.name = "id", .type = type}, text);
}

using Values = std::vector<Value>;

}  // namespace

TEST_CASE("a cast never cuts text") {
  CHECK(lossless_cast("character varying(5)") == "character varying");
  CHECK(lossless_cast("character varying(5)[]") == "character varying[]");
  CHECK(lossless_cast("character(1)") == "bpchar");
  CHECK(lossless_cast("numeric(10,2)") == "numeric(10,2)");
  CHECK(lossless_cast("timestamp(3) without time zone") == "timestamp(3) without time zone");
}

TEST_CASE("affinity follows the declared type") {
  CHECK(affinity_of("") == Affinity::none);
  CHECK(affinity_of("blob") == Affinity::none);
  CHECK(affinity_of("BIGINT") == Affinity::integer);
  CHECK(affinity_of("CHARINT") == Affinity::integer);
  CHECK(affinity_of("varchar(20)") == Affinity::text);
  CHECK(affinity_of("double precision") == Affinity::real);
  CHECK(affinity_of("TIMESTAMP") == Affinity::numeric);
  CHECK(affinity_of("boolean") == Affinity::numeric);
}

TEST_CASE("affinity converts only what it spells completely") {
  CHECK(apply_affinity(std::string{"12"}, Affinity::integer) == Value{std::int64_t{12}});
  CHECK(apply_affinity(std::string{" +12 "}, Affinity::integer) == Value{std::int64_t{12}});
  CHECK(apply_affinity(std::string{"1e2"}, Affinity::numeric) == Value{std::int64_t{100}});
  CHECK(apply_affinity(std::string{"1.5"}, Affinity::integer) == Value{1.5});
  CHECK(apply_affinity(std::string{"1.5x"}, Affinity::integer) == Value{std::string{"1.5x"}});
  CHECK(apply_affinity(std::string{"0x10"}, Affinity::integer) == Value{std::string{"0x10"}});
  CHECK(apply_affinity(std::string{""}, Affinity::integer) == Value{std::string{}});
  CHECK(apply_affinity(std::string{"2025-01-01 00:00:00"}, Affinity::numeric) ==
        Value{std::string{"2025-01-01 00:00:00"}});
  CHECK(apply_affinity(2.0, Affinity::integer) == Value{std::int64_t{2}});
  CHECK(apply_affinity(1e300, Affinity::integer) == Value{1e300});
  CHECK(apply_affinity(std::int64_t{2}, Affinity::real) == Value{2.0});
  CHECK(apply_affinity(std::int64_t{2}, Affinity::text) == Value{std::string{"2"}});
  CHECK(apply_affinity(2.0, Affinity::text) == Value{std::string{"2.0"}});
  CHECK(apply_affinity(1e20, Affinity::text) == Value{std::string{"1.0e+20"}});
  CHECK(apply_affinity(Null{}, Affinity::text) == Value{Null{}});
  CHECK(apply_affinity(Blob{"x"}, Affinity::text) == Value{Blob{"x"}});
  CHECK(apply_affinity(std::string{"12"}, Affinity::none) == Value{std::string{"12"}});
}

TEST_CASE("an integer key is found only by how it prints") {
  CHECK(keys(Engine::postgres, "bigint", "10") == Values{std::string{"10"}});
  CHECK(keys(Engine::postgres, "bigint", "-9223372036854775808") == Values{std::string{"-9223372036854775808"}});
  for (const char* text :
       {"010", "+1", "-0", " 1", "1 ", "", "1.0", "abc", "9223372036854775808", "1; DROP TABLE tasks"}) {
    INFO(text);
    CHECK(keys(Engine::postgres, "bigint", text).empty());
  }
  CHECK(keys(Engine::postgres, "integer", "2147483648").empty());
  CHECK(keys(Engine::postgres, "smallint", "32768").empty());
  CHECK(keys(Engine::postgres, "smallint", "-32768").size() == 1);
}

TEST_CASE("a uuid key must be canonical") {
  CHECK(keys(Engine::postgres, "uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11").size() == 1);
  CHECK(keys(Engine::postgres, "uuid", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11").empty());
  CHECK(keys(Engine::postgres, "uuid", "a0eebc999c0b4ef8bb6d6bb9bd380a11").empty());
  CHECK(keys(Engine::postgres, "uuid", "").empty());
}

TEST_CASE("text that postgres cannot hold is no key there") {
  CHECK(keys(Engine::postgres, "text", std::string{"a\0b", 3}).empty());
  CHECK(keys(Engine::postgres, "text", "\xff").empty());
  CHECK(keys(Engine::postgres, "text", "задача").size() == 1);
  CHECK(keys(Engine::sqlite, "TEXT", "\xff").size() == 1);
}

TEST_CASE("sqlite keys are bound by affinity") {
  CHECK(keys(Engine::sqlite, "TEXT", "10") == Values{std::string{"10"}});
  CHECK(keys(Engine::sqlite, "INTEGER", "10") == Values{std::int64_t{10}});
  CHECK(keys(Engine::sqlite, "INTEGER", "010") == Values{std::string{"010"}});
  CHECK(keys(Engine::sqlite, "", "10") == Values{std::string{"10"}, std::int64_t{10}});
}

}  // namespace taskctl
