#include "base/file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "base/error.hpp"
#include "support/databases.hpp"

using namespace taskctl;

namespace {

template <typename Action>
ExitCode code_of(Action action) {
  try {
    action();
  } catch (const Error& error) {
    CHECK(error.message().find('\'') != std::string::npos);
    return error.code();
  }
  return ExitCode::ok;
}

unsigned mode_of(const std::filesystem::path& path) {
  struct stat found {};
  REQUIRE(stat(path.c_str(), &found) == 0);
  return found.st_mode & 07777U;
}

}  // namespace

TEST_CASE("a file reads back as it was written") {
  const test::TempFolder folder;
  const auto path = folder.path() / "a file";
  const std::string content = std::string(200000, 'x') + std::string(1, '\0') + "\xff";
  write_file_durably(path, content);
  CHECK(read_file(path) == content);
  CHECK(mode_of(path) == 0600);
  write_file_durably(path, "");
  CHECK(read_file(path).empty());
  CHECK(std::distance(std::filesystem::directory_iterator{folder.path()}, {}) == 1);
}

TEST_CASE("reading refuses what is no readable file") {
  const test::TempFolder folder;
  const auto path = folder.path() / "file";
  write_file_durably(path, "12345");
  CHECK(read_file(path, 5) == "12345");
  CHECK(code_of([&] { (void)read_file(path, 4); }) == ExitCode::usage);
  CHECK(code_of([&] { (void)read_file(folder.path() / "missing"); }) == ExitCode::usage);
  CHECK(code_of([&] { (void)read_file(folder.path()); }) == ExitCode::usage);
  CHECK(code_of([&] { (void)read_file(path / "below"); }) == ExitCode::usage);
}

TEST_CASE("a write that fails leaves the old file and nothing else") {
  const test::TempFolder folder;
  const auto path = folder.path() / "target";
  std::filesystem::create_directory(path);
  CHECK(code_of([&] { write_file_durably(path, "x"); }) == ExitCode::usage);  // a folder stands there
  CHECK(std::filesystem::is_directory(path));
  CHECK(std::distance(std::filesystem::directory_iterator{folder.path()}, {}) == 1);
  CHECK(code_of([&] { write_file_durably(folder.path() / "no" / "folder", "x"); }) == ExitCode::usage);
}

TEST_CASE("a symbolic link is replaced and its target is not written") {
  const test::TempFolder folder;
  write_file_durably(folder.path() / "target", "old");
  std::filesystem::create_symlink("target", folder.path() / "link");
  write_file_durably(folder.path() / "link", "new");
  CHECK(read_file(folder.path() / "target") == "old");
  CHECK(read_file(folder.path() / "link") == "new");
}

TEST_CASE("syncing names what is missing") {
  const test::TempFolder folder;
  write_file_durably(folder.path() / "file", "x");
  CHECK_NOTHROW(fsync_file(folder.path() / "file"));
  CHECK_NOTHROW(fsync_folder(folder.path()));
  CHECK(code_of([&] { fsync_file(folder.path() / "missing"); }) == ExitCode::usage);
  CHECK(code_of([&] { fsync_folder(folder.path() / "file"); }) == ExitCode::usage);
}

TEST_CASE("free space is that of the nearest folder that exists") {
  const test::TempFolder folder;
  const std::uint64_t here = free_space(folder.path());
  CHECK(here > 0);
  const std::uint64_t below = free_space(folder.path() / "not" / "yet" / "there");
  CHECK(below > here / 2);
  CHECK(below < here * 2);
  CHECK(free_space("not-there-either") > 0);
  CHECK(free_space("") > 0);
}

TEST_CASE("private folders are made with their parents") {
  const test::TempFolder folder;
  const auto path = folder.path() / "a" / "b" / "c";
  make_private_folder(path);
  CHECK(std::filesystem::is_directory(path));
  CHECK(mode_of(path) == 0700);
  CHECK(mode_of(folder.path() / "a") == 0700);
  CHECK_NOTHROW(make_private_folder(path));
  write_file_durably(folder.path() / "file", "x");
  CHECK(code_of([&] { make_private_folder(folder.path() / "file"); }) == ExitCode::failed);
  CHECK(code_of([&] { make_private_folder(folder.path() / "file" / "below"); }) == ExitCode::failed);
}
