#include "base/text.hpp"

#include <catch2/catch.hpp>

#include "base/error.hpp"

using namespace taskctl;

TEST_CASE("utf-8 is checked byte by byte") {
  CHECK(is_valid_utf8(""));
  CHECK(is_valid_utf8("plain"));
  CHECK(is_valid_utf8("任务 задача 🚀"));
  CHECK(is_valid_utf8(std::string_view{"a\0b", 3}));
  CHECK_FALSE(is_valid_utf8("\xff"));
  CHECK_FALSE(is_valid_utf8("abc\xc3"));           // cut in the middle
  CHECK_FALSE(is_valid_utf8("\x80"));              // continuation without a start
  CHECK_FALSE(is_valid_utf8("\xc0\xaf"));          // overlong
  CHECK_FALSE(is_valid_utf8("\xe0\x80\xaf"));      // overlong
  CHECK_FALSE(is_valid_utf8("\xed\xa0\x80"));      // surrogate
  CHECK_FALSE(is_valid_utf8("\xf4\x90\x80\x80"));  // above U+10FFFF
  CHECK(is_valid_utf8("\xf4\x8f\xbf\xbf"));
}

TEST_CASE("code points are encoded in one to four bytes") {
  std::string out;
  append_utf8(out, 'a');
  append_utf8(out, 0xe9);
  append_utf8(out, 0x4efb);
  append_utf8(out, 0x1f680);
  CHECK(out == "aé任🚀");
  out.clear();
  append_utf8(out, 0);
  CHECK(out == std::string(1, '\0'));
}

TEST_CASE("display width counts columns and not bytes") {
  CHECK(display_width("") == 0);
  CHECK(display_width("task_0048") == 9);
  CHECK(display_width("é") == 1);
  CHECK(display_width("e\u0301") == 1);  // combining acute
  CHECK(display_width("任务") == 4);
  CHECK(display_width("🚀") == 2);
  CHECK(display_width("👍🏽") == 2);            // skin tone
  CHECK(display_width("👩‍👩‍👧") == 2);  // joined family
  CHECK(display_width("❤️") == 2);              // emoji presentation
  CHECK(display_width("❤") == 1);
  CHECK(display_width("🇸🇬") == 2);  // flag of two letters
  CHECK(display_width("a\tb\n\x1b") == 2);
  CHECK(display_width("a\xff\xfe") == 3);
}

TEST_CASE("truncating never splits a character") {
  CHECK(truncate_to_width("short", 10) == "short");
  CHECK(truncate_to_width("exact", 5) == "exact");
  CHECK(truncate_to_width("longer", 5) == "long…");
  CHECK(truncate_to_width("longer", 1) == "…");
  CHECK(truncate_to_width("longer", 0).empty());
  CHECK(truncate_to_width("", 0).empty());
  CHECK(truncate_to_width("任务任务", 8) == "任务任务");
  CHECK(truncate_to_width("任务任务", 7) == "任务任…");
  CHECK(truncate_to_width("任务任务", 6) == "任务…");  // the third would need a seventh column
  CHECK(truncate_to_width("👍🏽👍🏽👍🏽", 4) == "👍🏽…");
  CHECK(truncate_to_width("e\u0301e\u0301e\u0301", 2) == "e\u0301…");
  CHECK(truncate_to_width("abc\xff\xff\xff", 5) == "abc\xff…");

  const std::string id(10000, 'x');
  CHECK(truncate_to_width(id, 20) == std::string(19, 'x') + "…");
  std::string wide;
  for (int i = 0; i < 5000; ++i) {
    wide += "务";
  }
  CHECK(display_width(truncate_to_width(wide, 80)) <= 80);
  CHECK(display_width(truncate_to_width(wide, 80)) >= 79);
}

TEST_CASE("printable text cannot steer a terminal") {
  CHECK(printable("task 1 'x' \\ %") == "task 1 'x' \\ %");
  CHECK(printable("任务 🚀") == "任务 🚀");
  CHECK(printable("a\nb\tc\r") == "a\\nb\\tc\\r");
  CHECK(printable("\x1b[31mred") == "\\x1b[31mred");
  CHECK(printable(std::string_view{"a\0b\x7f", 4}) == "a\\x00b\\x7f");
  CHECK(printable("\xff\xc3") == "\\xff\\xc3");
  CHECK(printable("a\u009b31m") == "a\\u009b31m");  // CSI in one character
  CHECK(printable("abc\u202e") == "abc\\u202e");    // turns the text that follows
  CHECK(printable("a\u2028b") == "a\\u2028b");
}

TEST_CASE("hex goes both ways") {
  CHECK(to_hex(std::string_view{"\0\x7f\xff", 3}) == "007fff");
  CHECK(from_hex("007FfF") == std::string_view{"\0\x7f\xff", 3});
  CHECK(from_hex("").empty());
  CHECK_THROWS_AS(from_hex("abc"), Error);
  CHECK_THROWS_AS(from_hex("0g"), Error);
  CHECK_THROWS_AS(from_hex("-1"), Error);
  CHECK_THROWS_AS(from_hex(" 1"), Error);
  CHECK_THROWS_AS(from_hex("\xff\xff"), Error);
}

TEST_CASE("nearest finds a slip and not another word") {
  const std::vector<std::string> names{"list-stuck", "reconcile", "undo", "cancel", "backup"};
  CHECK(nearest("reconsile", names) == "reconcile");
  CHECK(nearest("liststuck", names) == "list-stuck");
  CHECK(nearest("cancle", names) == "cancel");
  CHECK(nearest("undo", names) == "undo");
  CHECK(nearest("frobnicate", names).empty());
  CHECK(nearest("", names).empty());
  CHECK(nearest("xy", names).empty());  // every letter would have to change
  CHECK(nearest(std::string(10000, 'x'), names).empty());
  CHECK(nearest("undo", {}).empty());
}

TEST_CASE("join puts the separator between") {
  CHECK(join({}, ", ").empty());
  CHECK(join({"a"}, ", ") == "a");
  CHECK(join({"a", "", "c"}, ", ") == "a, , c");
}
