#include "view/table_writer.hpp"

#include <catch2/catch.hpp>
#include <stdexcept>

#include "support/streams.hpp"

using namespace taskctl;
using taskctl::test::CapturedStreams;

namespace {

TableWriter sample() {
  TableWriter table{{{.title = "ID"},
                     {.title = "KIND", .shrinkable = true},
                     {.title = "AGE", .right = true},
                     {.title = "RULE", .fold = true}}};
  table.row({"task_0001", "a-kind-with-a-long-name", "1h", "dead"});
  table.row({"7", "short", "66h48m", "overdue"});
  return table;
}

std::string at_width(const TableWriter& table, std::size_t width) {
  CapturedStreams captured{{.width = width}};
  table.write(captured.streams);
  return captured.out;
}

}  // namespace

TEST_CASE("a table that fits is not cut") {
  const std::string expected =
      "ID         KIND                        AGE  RULE\n"
      "task_0001  a-kind-with-a-long-name      1h  dead\n"
      "7          short                    66h48m  overdue\n";
  CHECK(at_width(sample(), 0) == expected);
  CHECK(at_width(sample(), 200) == expected);
  CHECK(at_width(sample(), 51) == expected);
}

TEST_CASE("a narrow table cuts the shrinkable column and keeps the id") {
  CHECK(at_width(sample(), 40) ==
        "ID         KIND             AGE  RULE\n"
        "task_0001  a-kind-with…      1h  dead\n"
        "7          short         66h48m  overdue\n");
}

TEST_CASE("where cutting is not enough rows are folded and nothing is lost") {
  CHECK(at_width(sample(), 35) ==
        "ID         KIND\n"
        "       AGE\n"
        "    RULE\n"
        "task_0001  a-kind-with-a-long-name\n"
        "        1h\n"
        "    dead\n"
        "7          short\n"
        "    66h48m\n"
        "    overdue\n");
  CHECK(at_width(sample(), 20).find("a-kind-with-a-long-name") != std::string::npos);
}

TEST_CASE("a table without rows prints nothing") {
  CHECK(at_width(TableWriter{{{.title = "ID"}}}, 80).empty());
}

TEST_CASE("an optional column without values is left out") {
  TableWriter table{{{.title = "ID"}, {.title = "WORKER", .optional = true}, {.title = "RULE"}}};
  table.row({"1", "-", "dead"});
  table.row({"2", "", "dead"});
  CHECK(at_width(table, 0) == "ID  RULE\n1   dead\n2   dead\n");
  table.row({"3", "w1", "dead"});
  CHECK(at_width(table, 0) == "ID  WORKER  RULE\n1   -       dead\n2           dead\n3   w1      dead\n");
}

TEST_CASE("cells cannot steer the terminal and wide characters keep columns straight") {
  TableWriter table{{{.title = "ID"}, {.title = "KIND"}}};
  table.row({"a\x1b[2Jb\n", "x"});
  table.row({"任务", "y"});
  CHECK(at_width(table, 0) ==
        "ID           KIND\n"
        "a\\x1b[2Jb\\n  x\n"
        "任务         y\n");
}

TEST_CASE("rows are coloured whole and titles are bold") {
  TableWriter table{{{.title = "ID"}}};
  table.row({"1"}, Style::red);
  CapturedStreams captured{{.width = 0, .colour = true}};
  table.write(captured.streams);
  CHECK(captured.out == "\x1b[1mID\x1b[0m\n\x1b[31m1\x1b[0m\n");
}

TEST_CASE("a row with another number of cells is a bug") {
  TableWriter table{{{.title = "ID"}}};
  CHECK_THROWS_AS(table.row({"1", "2"}), std::logic_error);
}

TEST_CASE("csv quotes what needs it") {
  CHECK(csv_line({"a", "b c", "d,e", "say \"hi\"", "two\nlines", ""}) ==
        "a,b c,\"d,e\",\"say \"\"hi\"\"\",\"two\nlines\",\n");
}

TEST_CASE("tsv escapes tabs newlines and backslashes") {
  CHECK(tsv_line({"a\tb", "c\nd", "e\\f", "g\rh"}) == "a\\tb\tc\\nd\te\\\\f\tg\\rh\n");
}
