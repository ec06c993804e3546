#include "base/file_lock.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>

#include "base/error.hpp"
#include "base/file.hpp"
#include "support/databases.hpp"

using namespace taskctl;

namespace {

/// What try_acquire does for a user who may not write the file: 't'aken, 'h'eld with the note of the holder, 'a'ccess
/// error, '?' otherwise. Root becomes nobody for it, in a process of its own.
char result_as_other_user(const std::filesystem::path& path, const std::string& expected_holder) {
  const pid_t child = fork();
  if (child == 0) {
    constexpr uid_t k_nobody = 65534;
    if (geteuid() == 0 && setuid(k_nobody) != 0) {
      _exit('?');
    }
    char result = '?';
    try {
      std::string holder;
      const auto lock = FileLock::try_acquire(path, "other user", holder);
      result = lock ? 't' : holder == expected_holder ? 'h' : '?';
    } catch (const Error& error) {
      result = error.code() == ExitCode::access ? 'a' : '?';
    }
    _exit(result);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? static_cast<char>(WEXITSTATUS(status)) : '?';
}

}  // namespace

TEST_CASE("a lock keeps others out until it is released") {
  const test::TempFolder folder;
  const auto path = folder.path() / "db.taskctl-lock";
  std::string holder;
  {
    const auto lock = FileLock::try_acquire(path, "alice on host1, pid 7", holder);
    REQUIRE(lock);
    CHECK(read_file(path) == "alice on host1, pid 7");
    CHECK_FALSE(FileLock::try_acquire(path, "bob", holder));
    CHECK(holder == "alice on host1, pid 7");
    CHECK(read_file(path) == "alice on host1, pid 7");
  }
  CHECK_FALSE(std::filesystem::exists(path));
  CHECK(FileLock::try_acquire(path, "bob", holder));
}

TEST_CASE("a moved lock is still one lock") {
  const test::TempFolder folder;
  const auto path = folder.path() / "lock";
  std::string holder;
  std::optional<FileLock> outer;
  {
    auto lock = FileLock::try_acquire(path, "first", holder);
    REQUIRE(lock);
    outer = std::move(lock);
  }
  CHECK_FALSE(FileLock::try_acquire(path, "second", holder));
  auto other = FileLock::try_acquire(folder.path() / "other", "other", holder);
  REQUIRE(other);
  *outer = std::move(*other);
  other.reset();  // now holds what `outer` held
  CHECK(FileLock::try_acquire(path, "second", holder));
}

TEST_CASE("an old note is replaced whole") {
  const test::TempFolder folder;
  const auto path = folder.path() / "lock";
  write_file_durably(path, "a long note that a killed run left behind");
  std::string holder;
  const auto lock = FileLock::try_acquire(path, "new", holder);
  REQUIRE(lock);
  CHECK(read_file(path) == "new");
}

TEST_CASE("the lock of a killed process is free") {
  const test::TempFolder folder;
  const auto path = folder.path() / "lock";
  std::array<int, 2> ready{};
  REQUIRE(pipe(ready.data()) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::string ignored;
    const auto lock = FileLock::try_acquire(path, "child", ignored);
    const char answer = lock ? 'y' : 'n';
    if (write(ready[1], &answer, 1) == 1) {
      pause();
    }
    _exit(1);
  }
  char answer = '?';
  REQUIRE(read(ready[0], &answer, 1) == 1);
  CHECK(answer == 'y');
  std::string holder;
  CHECK_FALSE(FileLock::try_acquire(path, "parent", holder));
  CHECK(holder == "child");
  kill(child, SIGKILL);
  REQUIRE(waitpid(child, nullptr, 0) == child);
  CHECK(std::filesystem::exists(path));
  const auto lock = FileLock::try_acquire(path, "parent", holder);
  REQUIRE(lock);
  CHECK(read_file(path) == "parent");
  close(ready[0]);
  close(ready[1]);
}

TEST_CASE("releasing does not remove the lock of somebody else") {
  const test::TempFolder folder;
  const auto path = folder.path() / "lock";
  std::string holder;
  auto first = FileLock::try_acquire(path, "first", holder);
  REQUIRE(first);
  std::filesystem::remove(path);  // by hand
  const auto second = FileLock::try_acquire(path, "second", holder);
  REQUIRE(second);
  first.reset();
  CHECK(read_file(path) == "second");
  CHECK_FALSE(FileLock::try_acquire(path, "third", holder));
}

TEST_CASE("a lock file that cannot be made says why and what helps") {
  const test::TempFolder folder;
  std::string hint;
  const auto code_of = [&hint](const std::filesystem::path& path) {
    std::string holder;
    try {
      (void)FileLock::try_acquire(path, "x", holder);
    } catch (const Error& error) {
      CHECK(error.message().find(path.string()) != std::string::npos);
      CHECK_FALSE(error.hint().empty());
      hint = error.hint();
      return error.code();
    }
    return ExitCode::ok;
  };
  CHECK(code_of(folder.path() / "no folder" / "lock") == ExitCode::failed);
  CHECK(code_of(folder.path()) == ExitCode::failed);
  std::filesystem::create_symlink("target", folder.path() / "link");  // never follows a link somebody planted
  CHECK(code_of(folder.path() / "link") == ExitCode::refused);
  CHECK(hint.find("symbolic link") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(folder.path() / "target"));
}

TEST_CASE("a lock file of another user") {
  using std::filesystem::perms;
  const test::TempFolder folder;
  const auto path = folder.path() / "lock";
  std::filesystem::permissions(folder.path(), perms::all);
  {
    std::string holder;
    const auto lock = FileLock::try_acquire(path, "first user", holder);
    REQUIRE(lock);
    std::filesystem::permissions(path, perms::owner_read | perms::group_read | perms::others_read);
    CHECK(result_as_other_user(path, "first user") == 'h');
    CHECK(read_file(path) == "first user");
  }
  write_file_durably(path, "left behind", 0444);
  std::filesystem::permissions(folder.path(),
                               perms::owner_read | perms::owner_exec | perms::others_read | perms::others_exec);
  CHECK(result_as_other_user(path, "") == 'a');
  CHECK(read_file(path) == "left behind");
  std::filesystem::permissions(folder.path(), perms::all);
  CHECK(result_as_other_user(path, "") == 't');
}
