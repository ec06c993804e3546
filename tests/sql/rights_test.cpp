#include "sql/rights.hpp"

#include <catch2/catch.hpp>

namespace taskctl {

namespace {

using Columns = std::vector<std::string>;

TableInfo tasks() {
  TableInfo table;
  table.name = {"app", "Task \"List\""};
  table.columns = {{.name = "note", .type = "text"},
                   {.name = "id", .type = "bigint"},
                   {.name = "state", .type = "text"},
                   {.name = "twice", .type = "bigint", .generated = true}};
  table.primary_key = {"id"};
  return table;
}

std::vector<std::string> grants(const TableUse& use) {
  std::vector<std::string> texts;
  for (const TableRight& right : rights_to_write(use, tasks())) {
    texts.push_back(right.privilege + (right.to_lock ? " lock" : ""));
    for (const std::string& column : right.columns) {
      texts.back() += " " + column;
    }
  }
  return texts;
}

}  // namespace

TEST_CASE("reading asks for the named columns or for all") {
  CHECK(right_to_read({.columns = {"state", "gone"}}, tasks()).columns == Columns{"state"});
  CHECK(right_to_read({.columns = {"state"}, .row_keys = true}, tasks()).columns == Columns{"id", "state"});
  CHECK(right_to_read({.columns = {"state"}, .whole_rows = true}, tasks()).columns.empty());
}

TEST_CASE("writing asks for what repairs do and what takes them back") {
  CHECK(grants({}).empty());
  CHECK(grants({.updated = {"state"}}) == Columns{"UPDATE state"});
  CHECK(grants({.removed = true}) == Columns{"UPDATE lock id", "INSERT note id state", "DELETE"});
  CHECK(grants({.inserted = std::set<std::string>{"note"}}) == Columns{"UPDATE lock id", "INSERT note", "DELETE"});
  CHECK(grants({.updated = {"state"}, .removed = true}) == Columns{"UPDATE state", "INSERT note id state", "DELETE"});
}

TEST_CASE("what is missing is told by column") {
  TableInfo table = tasks();
  const TableRight whole{.privilege = "SELECT", .table = table.name, .columns = {}};
  CHECK_FALSE(missing_part(whole, table));
  table.columns[0].can_select = false;
  CHECK(missing_part(whole, table)->columns == Columns{"note"});
  CHECK_FALSE(missing_part({.privilege = "SELECT", .table = table.name, .columns = {"state"}}, table));
  for (ColumnInfo& column : table.columns) {
    column.can_select = false;
    column.can_update = column.name == "note";
  }
  CHECK(missing_part(whole, table)->columns.empty());
  CHECK(missing_part({.privilege = "UPDATE", .table = table.name, .columns = {"note", "state"}}, table)->columns ==
        Columns{"state"});
  CHECK_FALSE(missing_part(right_to_lock(table), table));  // any column does
  table.can_update = false;
  table.columns[0].can_update = false;
  CHECK(missing_part(right_to_lock(table), table)->columns == Columns{"id"});
  CHECK_FALSE(missing_part({.privilege = "DELETE", .table = table.name, .columns = {}}, table));
  table.can_delete = false;
  CHECK(missing_part({.privilege = "DELETE", .table = table.name, .columns = {}}, table)->display() ==
        "DELETE ON TABLE app.Task \"List\"");
}

TEST_CASE("grants quote every name") {
  const TableRight right{.privilege = "UPDATE", .table = tasks().name, .columns = {"state", "a\"b"}};
  CHECK(render_grant(right, "ops \"x\"") ==
        R"(GRANT UPDATE ("state", "a""b") ON TABLE "app"."Task ""List""" TO "ops ""x""")");
  CHECK(right.display() == "UPDATE (state, a\"b) ON TABLE app.Task \"List\"");
  CHECK(render_grant("USAGE", "SCHEMA", {"", "My App"}, "r") == R"(GRANT USAGE ON SCHEMA "My App" TO "r")");
  CHECK(render_grant_call({"s", "f"}, "integer, text", "r") ==
        R"(GRANT EXECUTE ON ROUTINE "s"."f"(integer, text) TO "r")");
  CHECK(render_create_role("r;") == R"(CREATE ROLE "r;" LOGIN)");
}

}  // namespace taskctl
