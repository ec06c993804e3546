#include "base/new_file.hpp"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <functional>
#include <iterator>

#include "base/error.hpp"
#include "base/file.hpp"
#include "support/databases.hpp"

using namespace taskctl;

namespace {

std::size_t entries(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator{folder}, {}));
}

}  // namespace

TEST_CASE("a new file has its name only once it is whole") {
  const test::TempFolder folder;
  const auto path = folder.path() / "plan";
  NewFile file{path};
  file.append("one ");
  CHECK_FALSE(std::filesystem::exists(path));
  file.append("two");
  file.publish();
  CHECK(read_file(path) == "one two");
  CHECK(entries(folder.path()) == 1);
  struct stat found {};
  REQUIRE(stat(path.c_str(), &found) == 0);
  CHECK((found.st_mode & 07777U) == 0600);
}

TEST_CASE("a new file that is given up leaves nothing") {
  const test::TempFolder folder;
  {
    NewFile file{folder.path() / "plan"};
    file.append("half");
  }
  CHECK(entries(folder.path()) == 0);
}

TEST_CASE("a new file never overwrites, not even what came meanwhile or a link that leads nowhere") {
  const test::TempFolder folder;
  const auto path = folder.path() / "plan";
  const auto refused = [](const std::function<void()>& action) {
    try {
      action();
    } catch (const Error& error) {
      return error.code() == ExitCode::refused;
    }
    return false;
  };
  {
    NewFile file{path};
    file.append("mine");
    write_file_durably(path, "theirs");
    CHECK(refused([&file] { file.publish(); }));
  }
  CHECK(read_file(path) == "theirs");
  CHECK(refused([&path] { NewFile{path}; }));
  std::filesystem::create_symlink("nowhere", folder.path() / "link");
  CHECK(refused([&folder] { NewFile{folder.path() / "link"}; }));
  CHECK(entries(folder.path()) == 2);
}

TEST_CASE("a new file says when its folder is not there") {
  const test::TempFolder folder;
  CHECK_THROWS_AS(NewFile(folder.path() / "no" / "plan"), Error);
}
