#include "base/spool.hpp"

#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "base/error.hpp"
#include "support/databases.hpp"

using namespace taskctl;

namespace {

/// Sets $TMPDIR for one test.
class TemporaryFolderSetting {
 public:
  explicit TemporaryFolderSetting(const std::string& folder) { setenv("TMPDIR", folder.c_str(), 1); }
  ~TemporaryFolderSetting() { unsetenv("TMPDIR"); }
};

std::vector<std::string> all(const Spool& spool) {
  std::vector<std::string> records;
  spool.for_each([&records](std::string_view record) { records.emplace_back(record); });
  return records;
}

/// Different lengths and bytes, so that a shifted read shows.
std::string record_of(int number) {
  return std::to_string(number) + std::string(static_cast<std::size_t>(number * 37 % 5000), static_cast<char>(number));
}

}  // namespace

TEST_CASE("a spool keeps records in order and by position") {
  Spool spool;
  CHECK(spool.count() == 0);
  CHECK(all(spool).empty());
  const auto first = spool.append("first");
  const auto empty = spool.append("");
  const auto bytes = spool.append(std::string_view{"\0\xff\n", 3});
  CHECK(spool.count() == 3);
  CHECK(spool.in_memory());
  CHECK(spool.read(bytes) == std::string_view{"\0\xff\n", 3});
  CHECK(spool.read(empty).empty());
  CHECK(spool.read(first) == "first");
  CHECK(all(spool) == std::vector<std::string>{"first", "", std::string{"\0\xff\n", 3}});
}

TEST_CASE("a spool spills over its limit and loses nothing") {
  for (const std::size_t limit : {std::size_t{0}, std::size_t{100}, std::size_t{100000}}) {
    CAPTURE(limit);
    Spool spool{limit};
    std::vector<std::uint64_t> positions;
    std::vector<std::string> expected;
    for (int i = 0; i < 1000; ++i) {
      expected.push_back(record_of(i));
      positions.push_back(spool.append(expected.back()));
    }
    CHECK_FALSE(spool.in_memory());
    CHECK(spool.count() == 1000);
    CHECK(all(spool) == expected);
    for (const std::size_t i : {0U, 1U, 500U, 998U, 999U}) {
      CHECK(spool.read(positions[i]) == expected[i]);
    }
    expected.push_back("after reading");
    CHECK(spool.read(spool.append(expected.back())) == "after reading");
    CHECK(all(spool) == expected);
  }
}

TEST_CASE("a spool stays in memory up to its limit") {
  Spool spool{1000};
  spool.append(std::string(900, 'a'));
  CHECK(spool.in_memory());
  spool.append(std::string(900, 'b'));
  CHECK_FALSE(spool.in_memory());
  CHECK(all(spool) == std::vector<std::string>{std::string(900, 'a'), std::string(900, 'b')});
}

TEST_CASE("a record may be larger than every buffer") {
  Spool spool{1000};
  const std::string large(3000000, 'L');
  spool.append("before");
  const auto position = spool.append(large);
  spool.append("after");
  CHECK(spool.read(position) == large);
  CHECK(all(spool) == std::vector<std::string>{"before", large, "after"});
}

TEST_CASE("a moved spool keeps its records") {
  Spool spool{10};
  const auto position = spool.append("a record that is spilled");
  Spool other = std::move(spool);
  CHECK(other.read(position) == "a record that is spilled");
  spool = Spool{};
  CHECK(spool.count() == 0);
}

TEST_CASE("a position that append did not return is refused") {
  Spool spool;
  CHECK_THROWS_AS(spool.read(0), Error);
  spool.append("xxxxxxxxxxxxxxxxxxxx");
  CHECK_THROWS_AS(spool.read(9), Error);
  CHECK_THROWS_AS(spool.read(1000), Error);
}

TEST_CASE("the temporary file has no name") {
  const test::TempFolder folder;
  const TemporaryFolderSetting setting{folder.path().string()};
  Spool spool{0};
  spool.append("spilled");
  CHECK_FALSE(spool.in_memory());
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("an unusable temporary folder is named") {
  const TemporaryFolderSetting setting{"/nonexistent/folder"};
  Spool spool{0};
  try {
    spool.append("x");
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::failed);
    CHECK(error.message() == "cannot create a temporary file in '/nonexistent/folder': no such file or directory");
    CHECK(error.hint().find("TMPDIR") != std::string::npos);
  }
}

TEST_CASE("a full disk is an error and what was written stays readable") {
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  Spool spool{1000};
  const auto position = spool.append(std::string(2000, 'a'));
  REQUIRE_FALSE(spool.in_memory());
  const rlimit small{4096, before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
  ExitCode code = ExitCode::ok;
  try {
    for (int i = 0; i < 1000; ++i) {
      spool.append(std::string(2000, 'b'));
    }
  } catch (const Error& error) {
    code = error.code();
  }
  setrlimit(RLIMIT_FSIZE, &before);
  CHECK(code == ExitCode::failed);
  CHECK(spool.read(position) == std::string(2000, 'a'));
}

TEST_CASE("records are visited with the position from which they can be read again") {
  Spool spool{3000};
  std::vector<std::string> texts;
  for (int i = 0; i < 20; ++i) {
    texts.push_back(std::string(static_cast<std::size_t>(i) * 150, static_cast<char>('a' + i)));  // around one read
    spool.append(texts.back());
  }
  REQUIRE_FALSE(spool.in_memory());
  std::size_t next = 0;
  spool.for_each_at([&](std::uint64_t position, std::string_view record) {
    CHECK(record == texts.at(next++));
    CHECK(spool.read(position) == record);
  });
  CHECK(next == texts.size());
}
