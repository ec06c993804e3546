#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "model/string_array.hpp"
#include "model/value.hpp"

using namespace taskctl;

TEST_CASE("a key of one part is any text as it is") {
  const std::string long_id(10000, 'x');
  for (const std::string& id :
       {std::string{}, std::string{"572"}, std::string{"[1,2]"}, std::string{"[\"a\"]"},
        std::string{"it's 100% \"odd\"\n++"}, std::string{"任务🚀"}, std::string{"\xff\xfe"}, long_id}) {
    const TaskKey key = TaskKey::from_text(id, 1);
    CHECK(key.parts == std::vector<std::string>{id});
    CHECK(key.text() == id);
  }
}

TEST_CASE("a key of several parts is a json array and reads back") {
  CHECK(TaskKey{{"a", "b"}}.text() == "[\"a\",\"b\"]");
  CHECK(TaskKey{{"a\"b", "c\\d"}}.text() == "[\"a\\\"b\",\"c\\\\d\"]");
  CHECK(TaskKey{{"\n\t\r\b\f", std::string("\0\x1f", 2)}}.text() == "[\"\\n\\t\\r\\b\\f\",\"\\u0000\\u001f\"]");
  CHECK(TaskKey{{"/", "任务🚀"}}.text() == "[\"/\",\"任务🚀\"]");
  const std::vector<std::vector<std::string>> keys{{"", ""},
                                                   {"a,b", "[\"c\"]"},
                                                   {std::string(10000, '"'), std::string(1, '\0')},
                                                   {"\xff invalid", "🚀", "\x7f"},
                                                   {"'; DROP TABLE tasks; --", "%", "\\"}};
  for (const auto& parts : keys) {
    const TaskKey key{parts};
    CHECK(TaskKey::from_text(key.text(), parts.size()) == key);
  }
}

TEST_CASE("json escapes and blanks are read") {
  CHECK(parse_string_array(" [ \"a\" ,\t\"b\"\n] ") == std::vector<std::string>{"a", "b"});
  CHECK(parse_string_array("[]") == std::vector<std::string>{});
  CHECK(parse_string_array("[\"\\u0041\\u00e9\\u4EFB\"]") == std::vector<std::string>{"Aé任"});
  CHECK(parse_string_array("[\"\\ud83d\\ude80\"]") == std::vector<std::string>{"🚀"});
  CHECK(parse_string_array("[\"\\uDBFF\\uDFFF\"]") == std::vector<std::string>{"\xf4\x8f\xbf\xbf"});
  CHECK(parse_string_array("[\"\\/\\\"\\\\\\b\\f\\n\\r\\t\"]") == std::vector<std::string>{"/\"\\\b\f\n\r\t"});
}

TEST_CASE("anything but an array of strings is refused") {
  for (const char* text : {"",
                           "a",
                           "[",
                           "]",
                           "[\"a\"",
                           "[\"a\",]",
                           "[,\"a\"]",
                           "[\"a\" \"b\"]",
                           "[\"a\"]x",
                           "[\"a\"][\"b\"]",
                           "[a]",
                           "[1,2]",
                           "[\"a\",2]",
                           "[null]",
                           "[[\"a\"]]",
                           "{\"a\":\"b\"}",
                           "\"a\"",
                           "['a']",
                           "[\"a]",
                           "[\"a\\\"]",
                           "[\"\\x41\"]",
                           "[\"\\u12\"]",
                           "[\"\\u12g4\"]",
                           "[\"\\u+123\"]",
                           "[\"\\u 123\"]",
                           "[\"\\ud83d\"]",
                           "[\"\\ud83dx\"]",
                           "[\"\\ud83d\\n\"]",
                           "[\"\\ud83d\\u0041\"]",
                           "[\"\\ude80\"]",
                           "[\"a\nb\"]",
                           "[\"\\",
                           "[\"\\u"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_string_array(text));
  }
}

TEST_CASE("a text that is not such a key is a usage error") {
  for (const char* text : {"572", "[\"a\"]", "[\"a\",\"b\",\"c\"]", "[1,2]", ""}) {
    CAPTURE(text);
    try {
      (void)TaskKey::from_text(text, 2);
      FAIL("accepted");
    } catch (const Error& error) {
      CHECK(error.code() == ExitCode::usage);
      CHECK(error.message() == "'" + std::string{text} + "' is not the id of a task here");
      CHECK(error.hint().find("2 strings") != std::string::npos);
    }
  }
}
