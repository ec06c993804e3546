#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "profile/fragment.hpp"

using namespace taskctl;

namespace {

const SourcePosition k_here{"queue.toml", 12, 3, "hazard[1].when"};

Fragment parse(std::string_view sql) {
  return Fragment::parse(sql, k_here);
}

/// Placeholders in angle brackets, to see where the text was cut.
std::string marked(std::string_view sql) {
  return parse(sql).render([](const std::string& name) { return "<" + name + ">"; });
}

std::string refused_fragment(std::string_view sql) {
  try {
    (void)parse(sql);
  } catch (const Error& e) {
    CHECK(e.code() == ExitCode::usage);
    return e.message();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("fragment - placeholders are cut out and the rest stays as written") {
  const Fragment fragment = parse("coalesce(ended_at, :now) || :reason");
  REQUIRE(fragment.pieces().size() == 4);
  CHECK_FALSE(fragment.pieces()[0].placeholder);
  CHECK(fragment.pieces()[0].text == "coalesce(ended_at, ");
  CHECK(fragment.pieces()[1].placeholder);
  CHECK(fragment.pieces()[1].text == "now");
  CHECK(fragment.pieces()[2].text == ") || ");
  CHECK(fragment.pieces()[3].text == "reason");
  CHECK(fragment.sql() == "coalesce(ended_at, :now) || :reason");
  CHECK(fragment.where().line == 12);
}

TEST_CASE("fragment - one placeholder alone is one piece") {
  CHECK(parse(":worker").pieces().size() == 1);
  CHECK(parse("'x'").pieces().size() == 1);
}

TEST_CASE("fragment - what is a placeholder and what is not") {
  CHECK(marked("lock = 'task #' || :task.id") == "lock = 'task #' || <task.id>");
  CHECK(marked(":task.id::text") == "<task.id>::text");
  CHECK(marked("id::text = :worker::text") == "id::text = <worker>::text");
  CHECK(marked("note = ':now :reason'") == "note = ':now :reason'");
  CHECK(marked("note = 'it''s :now'") == "note = 'it''s :now'");
  CHECK(marked(R"("odd:now" = :now)") == R"("odd:now" = <now>)");
  CHECK(marked("parts[1:2]") == "parts[1:2]");
  CHECK(marked("(:now,:now)") == "(<now>,<now>)");
  CHECK(marked(":task.\"odd \"\"name\"\" here\" + 1") == "<task.odd \"name\" here> + 1");
  CHECK(marked(":task.größe") == "<task.größe>");
}

TEST_CASE("fragment - text of every kind may stand in quotes") {
  CHECK(marked("x = '; -- /* $1 ? ` ( ['") == "x = '; -- /* $1 ? ` ( ['");
  CHECK(marked(R"("a;b" = 1)") == R"("a;b" = 1)");
  CHECK(marked("a - -1 / 2") == "a - -1 / 2");
  CHECK(marked("meta @> '{}'") == "meta @> '{}'");
  CHECK(marked("a\n  AND b") == "a\n  AND b");
}

TEST_CASE("fragment - what could leave its place is refused") {
  CHECK_THAT(refused_fragment("a; DROP TABLE jobs"), Catch::Contains("contains ';'"));
  CHECK_THAT(refused_fragment("a, b"), Catch::Contains("contains ',' outside of parentheses"));
  CHECK_THAT(refused_fragment("a -- b"), Catch::Contains("contains an SQL comment"));
  CHECK_THAT(refused_fragment("a /* b"), Catch::Contains("contains an SQL comment"));
  CHECK_THAT(refused_fragment("a = $1"), Catch::Contains("contains '$'"));
  CHECK_THAT(refused_fragment("a = $$x$$"), Catch::Contains("contains '$'"));
  CHECK_THAT(refused_fragment("a = ?"), Catch::Contains("contains '?'"));
  CHECK_THAT(refused_fragment("a = @name"), Catch::Contains("contains '@'"));
  CHECK_THAT(refused_fragment("a = `b`"), Catch::Contains("contains '`'"));
  CHECK_THAT(refused_fragment("a = E'\\' OR 1 = 1 --'"), Catch::Contains("contains a text in E'…'"));
  CHECK_THAT(refused_fragment(std::string_view{"a\0b", 3}), Catch::Contains("contains a control character"));
}

TEST_CASE("fragment - e is an ordinary name unless a quote follows") {
  CHECK(marked("e = 'x'") == "e = 'x'");
  CHECK(marked("type'x'") == "type'x'");
}

TEST_CASE("fragment - quotes and brackets close in order") {
  CHECK_THAT(refused_fragment("(a"), Catch::Contains("'(' is not closed"));
  CHECK_THAT(refused_fragment("a)"), Catch::Contains("')' closes nothing"));
  CHECK_THAT(refused_fragment("a) OR (b"), Catch::Contains("')' closes nothing"));
  CHECK_THAT(refused_fragment("(a]"), Catch::Contains("']' closes nothing"));
  CHECK_THAT(refused_fragment("(a[1)]"), Catch::Contains("')' closes nothing"));
  CHECK_THAT(refused_fragment("a = 'b"), Catch::Contains("a quote (') is not closed"));
  CHECK_THAT(refused_fragment("a = 'b''"), Catch::Contains("a quote (') is not closed"));
  CHECK_THAT(refused_fragment(R"("a = 1)"), Catch::Contains("is not closed"));
}

TEST_CASE("fragment - nothing is no expression") {
  CHECK_THAT(refused_fragment(""), Catch::Contains("is empty"));
  CHECK_THAT(refused_fragment(" \n\t"), Catch::Contains("is empty"));
}

TEST_CASE("fragment - unknown placeholders are refused with the position") {
  CHECK(refused_fragment("a = :nwo") ==
        "queue.toml:12:3: key 'hazard[1].when': ':nwo' is not a placeholder, expected one SQL expression");
  CHECK_THAT(refused_fragment(":task"), Catch::Contains("':task' names no column"));
  CHECK_THAT(refused_fragment(":task.1"), Catch::Contains("':task' names no column"));
  CHECK_THAT(refused_fragment(":task.\"\""), Catch::Contains("':task' names no column"));
  CHECK_THAT(refused_fragment(":tasks.id"), Catch::Contains("':tasks' is not a placeholder"));
  CHECK_THAT(refused_fragment(":NOW"), Catch::Contains("':NOW' is not a placeholder"));
}
