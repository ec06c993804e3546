#include "base/file_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "base/descriptor.hpp"
#include "base/error.hpp"

namespace taskctl {

namespace {

/// An upper bound for the times that somebody else removes the file between our open and our flock.
constexpr int k_attempts = 100;

struct Opened {
  Descriptor descriptor;
  bool writable = true;
};

struct Advice {
  ExitCode code;
  std::string hint;
};

Advice advice_for(const std::filesystem::path& path, int reason) {
  const std::string folder = path.parent_path().string();
  switch (reason) {
    case EACCES:
    case EPERM:
      if (struct stat info{}; lstat(path.c_str(), &info) == 0) {
        return {ExitCode::access, "Run as the user whose file it is, or remove it when no taskctl runs any more."};
      }
      return {ExitCode::access,
              fmt::format("Run as a user that may create files in '{}': a repair needs that for its lock file, and "
                          "SQLite for its journal.",
                          folder)};
    case EROFS:
      return {ExitCode::refused, "Mount it for writing, or run the repair where the database can be written."};
    case ENOSPC:
    case EDQUOT:
      return {ExitCode::failed, fmt::format("Make room in '{}': the repair writes there too.", folder)};
    case ELOOP:
      return {ExitCode::refused, "Remove the symbolic link: a lock behind it would not be the database's own."};
    case EBUSY:
      return {ExitCode::locked, "Try again: other runs took and released it all the time."};
    default:
      return {ExitCode::failed, fmt::format("Look at the file and at its folder '{}'.", folder)};
  }
}

[[noreturn]] void fail(const std::filesystem::path& path, int reason) {
  Advice advice = advice_for(path, reason);
  throw Error{advice.code, fmt::format("cannot take the lock file '{}': {}", path.string(), error_text(reason)),
              std::move(advice.hint)};
}

/// Another user's lock file is opened for reading: that is enough to learn who holds it.
Opened open_lock_file(const std::filesystem::path& path) {
  Opened opened{Descriptor{open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0644)}};
  const int reason = errno;
  if (!opened.descriptor && reason == EACCES) {
    opened = {Descriptor{open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)}, false};
  }
  if (!opened.descriptor) {
    fail(path, reason);
  }
  return opened;
}

/// False when the file was removed, or replaced by another one, since it was opened.
bool is_at(int descriptor, const std::filesystem::path& path) {
  struct stat ours {};
  struct stat there {};
  return fstat(descriptor, &ours) == 0 && lstat(path.c_str(), &there) == 0 && ours.st_dev == there.st_dev &&
         ours.st_ino == there.st_ino;
}

std::string read_note(int descriptor) {
  std::array<char, 4096> buffer{};
  const ssize_t got = pread(descriptor, buffer.data(), buffer.size(), 0);
  return {buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
}

}  // namespace

std::optional<FileLock> FileLock::try_acquire(const std::filesystem::path& path, const std::string& note,
                                              std::string& holder) {
  for (int attempt = 0; attempt < k_attempts; ++attempt) {
    Opened file = open_lock_file(path);
    const int number = file.descriptor.number();
    if (flock(number, LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) {
        fail(path, errno);
      }
      holder = read_note(number);
      return std::nullopt;
    }
    if (!is_at(number, path)) {
      continue;
    }
    if (!file.writable) {  // left behind by a killed run of another user
      if (unlink(path.c_str()) != 0) {
        fail(path, errno);
      }
      continue;
    }
    FileLock lock{path, file.descriptor.release()};
    if (ftruncate(number, 0) != 0 || !write_all(number, note)) {
      fail(path, errno);  // the lock removes the file again
    }
    return lock;
  }
  fail(path, EBUSY);
}

FileLock::~FileLock() {
  if (m_descriptor >= 0) {
    if (is_at(m_descriptor, m_path)) {
      unlink(m_path.c_str());
    }
    close(m_descriptor);
  }
}

FileLock::FileLock(FileLock&& other) noexcept
    : m_path{std::move(other.m_path)}, m_descriptor{std::exchange(other.m_descriptor, -1)} {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(m_path, other.m_path);
  std::swap(m_descriptor, other.m_descriptor);
  return *this;
}

}  // namespace taskctl
