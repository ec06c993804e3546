#include "sql/schema.hpp"

#include <catch2/catch.hpp>

namespace taskctl {

namespace {

using Strings = std::vector<std::string>;

TableInfo table_of_two() {
  TableInfo table;
  table.name = {"", "t"};
  table.columns = {{.name = "a", .type = "integer", .not_null = true}, {.name = "b", .type = "text"}};
  return table;
}

}  // namespace

TEST_CASE("a row is named by the primary key or a unique key that cannot be null") {
  TableInfo table = table_of_two();
  CHECK(table.row_key().empty());
  table.unique_keys = {{"b"}, {"a", "b"}};
  CHECK(table.row_key().empty());
  table.unique_keys.push_back({"a"});
  CHECK(table.row_key() == Strings{"a"});
  table.primary_key = {"b"};
  CHECK(table.row_key() == Strings{"b"});
}

TEST_CASE("columns are found by their exact name") {
  const TableInfo table = table_of_two();
  REQUIRE(table.find("b") != nullptr);
  CHECK(table.find("b")->type == "text");
  CHECK(table.find("B") == nullptr);
  CHECK(table.find("") == nullptr);
}

TEST_CASE("the fingerprint covers names types keys and triggers") {
  const auto fingerprint = [](const TableInfo& table) { return Schema{{{"t", table}}}.fingerprint(); };
  const std::string plain = fingerprint(table_of_two());
  CHECK(fingerprint(table_of_two()) == plain);
  TableInfo changed = table_of_two();
  changed.columns[1].type = "varchar";
  CHECK(fingerprint(changed) != plain);
  changed = table_of_two();
  changed.primary_key = {"a"};
  CHECK(fingerprint(changed) != plain);
  changed = table_of_two();
  changed.triggers = {"touch"};
  CHECK(fingerprint(changed) != plain);
  changed = table_of_two();
  changed.columns[1].generated = true;
  CHECK(fingerprint(changed) != plain);
  CHECK(Schema{{{"u", table_of_two()}}}.fingerprint() != plain);
}

}  // namespace taskctl
