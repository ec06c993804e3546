#include "cli/roff.hpp"

#include <catch2/catch.hpp>

#include "base/error.hpp"

using namespace taskctl;

namespace {

std::string roff(const std::string& markdown) {
  return roff_of_markdown(markdown, [](const std::string& mark) { return ".B filled " + mark + "\n"; });
}

}  // namespace

TEST_CASE("roff text keeps what the reader should see") {
  CHECK(roff_text("a\\b") == "a\\eb");
  CHECK(roff_text(".hidden") == "\\&.hidden");
  CHECK(roff_text("'quoted'") == "\\&'quoted'");
  CHECK(roff_text("a-b…") == "a-b\\[u2026]");
  CHECK(roff_code("--max-age '~'") == "\\-\\-max\\-age \\(aq\\(ti\\(aq");
  CHECK(roff_code(".x") == "\\&.x");
}

TEST_CASE("headings paragraphs lists and terms become macros") {
  CHECK(roff("## See also\n\nOne\ntwo.\n\nThree.\n") == ".SH \"SEE ALSO\"\nOne two.\n.PP\nThree.\n");
  CHECK(roff("### `[task]`\n") == ".SS \"[task]\"\n");
  CHECK(roff("- one\n  more\n- two\n") == ".IP \\(bu 2\none more\n.IP \\(bu 2\ntwo\n");
  CHECK(roff("term\n:   what it\n    means\n") == ".TP\nterm\nwhat it means\n");
}

TEST_CASE("marks of fonts do not cross and links lose their address") {
  CHECK(roff("**bold** `--code` *it* a*b\n") == "\\fBbold\\fR \\fB\\-\\-code\\fR \\fIit\\fR a*b\n");
  CHECK(roff("`a **b**`\n") == "\\fBa **b**\\fR\n");
  CHECK(roff("see [RE2](https://x.y/z) there\n") == "see RE2 there\n");
}

TEST_CASE("code is shown as it stands and comments are not") {
  CHECK(roff("Text:\n\n```console\n$ a -b\n.c\n```\n<!-- example: none -->\n") ==
        "Text:\n.PP\n.RS 2\n.EX\n$ a \\-b\n\\&.c\n.EE\n.RE\n");
  CHECK_THROWS_AS(roff("```\nno end\n"), Error);
}

TEST_CASE("tables become terms and marks are filled") {
  CHECK(roff("| key | is | more |\n|---|---|---|\n| `a` | b | c |\n| d | | e |\n") ==
        ".TP\n\\fBa\\fR\nis: b; more: c\n.TP\nd\nmore: e\n");
  CHECK(roff("@OPTIONS@\n") == ".B filled OPTIONS\n");
}
