#include "store/partial_file.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <fstream>

#include "base/descriptor.hpp"
#include "base/error.hpp"
#include "support/databases.hpp"

using namespace taskctl;
using namespace taskctl::test;

namespace {

std::filesystem::path write_file(const std::filesystem::path& path, std::chrono::seconds age) {
  std::ofstream{path} << "pages";
  std::filesystem::last_write_time(path, std::filesystem::file_time_type::clock::now() - age);
  return path;
}

}  // namespace

TEST_CASE("what a killed backup left is removed by the next one and what is being written is not") {
  const TempFolder folder;
  const auto dead = write_file(folder.path() / ".taskctl-partial-dead", std::chrono::hours{2});
  const auto young = write_file(folder.path() / ".taskctl-partial-young", std::chrono::seconds{0});
  const auto written = write_file(folder.path() / ".taskctl-partial-written", std::chrono::hours{2});
  const auto other = write_file(folder.path() / ".somebody-else", std::chrono::hours{2});
  const auto target = write_file(folder.path() / "tasks.db", std::chrono::hours{2});
  std::filesystem::create_symlink(target, folder.path() / ".taskctl-partial-link");
  const Descriptor writer{::open(written.c_str(), O_RDWR | O_CLOEXEC)};
  REQUIRE(::flock(writer.number(), LOCK_EX) == 0);
  const PartialFile next{folder.path()};
  CHECK_FALSE(std::filesystem::exists(dead));
  for (const std::filesystem::path& stays : {young, written, other, target, next.path()}) {
    CHECK(std::filesystem::exists(stays));
  }
  CHECK(std::filesystem::is_symlink(folder.path() / ".taskctl-partial-link"));
}

TEST_CASE("a partial file is published under a free name or goes away") {
  const TempFolder folder;
  write_file(folder.path() / "a.db", std::chrono::seconds{0});
  std::filesystem::path hidden;
  {
    PartialFile file{folder.path()};
    hidden = file.path();
    CHECK_FALSE(file.publish(folder.path() / "a.db"));
    CHECK(std::filesystem::exists(hidden));
    CHECK(file.publish_as("a", ".db") == folder.path() / "a-2.db");
  }
  CHECK(std::filesystem::exists(folder.path() / "a-2.db"));
  {
    const PartialFile file{folder.path()};
    hidden = file.path();
  }
  CHECK_FALSE(std::filesystem::exists(hidden));
  CHECK_THROWS_AS(PartialFile{folder.path() / "missing"}, Error);
}
