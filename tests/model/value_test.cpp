#include "model/value.hpp"

#include <catch2/catch.hpp>
#include <limits>

#include "base/error.hpp"

using namespace taskctl;

namespace {

Image image_of(std::vector<std::string> columns, std::vector<Value> values) {
  return {std::make_shared<const std::vector<std::string>>(std::move(columns)), std::move(values)};
}

}  // namespace

TEST_CASE("values are shown for people") {
  CHECK(to_display(Null{}) == "NULL");
  CHECK(to_display(std::string{"NULL"}) == "NULL");
  CHECK(to_display(std::int64_t{-42}) == "-42");
  CHECK(to_display(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
  CHECK(to_display(0.1) == "0.1");
  CHECK(to_display(1763290004.25) == "1763290004.25");
  CHECK(to_display(Blob{"hi"}) == "x'6869'");
  CHECK(to_display(Blob{}) == "x''");
  CHECK(to_display(std::string{"任务 '1'"}) == "任务 '1'");
}

TEST_CASE("values compare by type and null equals null") {
  CHECK(Value{Null{}} == Value{Null{}});
  CHECK_FALSE(Value{std::int64_t{1}} == Value{1.0});
  CHECK_FALSE(Value{std::int64_t{1}} == Value{std::string{"1"}});
  CHECK_FALSE(Value{std::string{"a"}} == Value{Blob{"a"}});
  CHECK_FALSE(Value{Null{}} == Value{std::string{}});
  CHECK(is_null(Value{}));
  CHECK_FALSE(is_null(Value{std::string{}}));
}

TEST_CASE("images find and set columns by name") {
  Image image = image_of({"id", "status"}, {std::int64_t{7}, std::string{"running"}});
  REQUIRE(image.find("status") != nullptr);
  CHECK(*image.find("status") == Value{std::string{"running"}});
  CHECK(image.find("Status") == nullptr);
  CHECK(image.find("missing") == nullptr);
  image.set("status", Null{});
  CHECK(is_null(*image.find("status")));
  CHECK(*image.find("id") == Value{std::int64_t{7}});
  try {
    image.set("missing", Null{});
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::mismatch);
    CHECK(error.message() == "the row has no column 'missing'");
  }
}

TEST_CASE("an image without columns has no values to find") {
  Image image;
  CHECK(image.find("id") == nullptr);
  CHECK_THROWS_AS(image.set("id", Null{}), Error);
  image.values.emplace_back(std::int64_t{1});
  CHECK(image.find("id") == nullptr);
}

TEST_CASE("images are equal by names and values whoever owns the names") {
  const Image a = image_of({"id"}, {std::int64_t{1}});
  CHECK(a == image_of({"id"}, {std::int64_t{1}}));
  CHECK_FALSE(a == image_of({"key"}, {std::int64_t{1}}));
  CHECK_FALSE(a == image_of({"id"}, {std::int64_t{2}}));
  CHECK_FALSE(a == Image{nullptr, {std::int64_t{1}}});
}

TEST_CASE("row keys and tables show every part") {
  CHECK(RowKey{{"id"}, {std::int64_t{576}}}.display() == "id=576");
  CHECK(RowKey{{"a", "b"}, {std::int64_t{1}, std::string{"x"}}}.display() == "a=1, b=x");
  CHECK(RowKey{}.display().empty());
  CHECK(TableName{"", "tasks"}.display() == "tasks");
  CHECK(TableName{"app", "tasks"}.display() == "app.tasks");
}
