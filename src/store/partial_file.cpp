#include "store/partial_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <string_view>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/new_file.hpp"
#include "store/backup.hpp"

namespace taskctl {

namespace {

constexpr std::string_view k_prefix = ".taskctl-partial-";
/// Between making a file and locking it there is a moment.
constexpr std::chrono::seconds k_youngest_abandoned{60};
constexpr int k_name_attempts = 100;

bool is_abandoned(const std::filesystem::path& path) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
  struct stat info {};
  if (!file || ::fstat(file.number(), &info) != 0 || !S_ISREG(info.st_mode) || info.st_uid != ::geteuid()) {
    return false;
  }
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(system_clock().now().time_since_epoch());
  return now - std::chrono::seconds{info.st_mtim.tv_sec} > k_youngest_abandoned &&
         ::flock(file.number(), LOCK_EX | LOCK_NB) == 0;
}

/// Of the size of a database, each: a machine that was killed every night would be full of them. What cannot be looked
/// at stays.
void remove_abandoned(const std::filesystem::path& folder) {
  std::error_code problem;
  std::filesystem::directory_iterator entries{folder, problem};
  for (; !problem && entries != std::filesystem::directory_iterator{}; entries.increment(problem)) {
    const std::filesystem::path& path = entries->path();
    if (path.filename().string().starts_with(k_prefix) && is_abandoned(path)) {
      ::unlink(path.c_str());
    }
  }
}

}  // namespace

PartialFile::PartialFile(const std::filesystem::path& folder)
    : m_path{folder / fmt::format("{}{}", k_prefix, random_hex(8))},
      m_file{::open(m_path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)} {
  if (!m_file) {
    throw Error{ExitCode::backup, fmt::format("no file can be created in '{}': {}", folder.string(), error_text(errno)),
                "Name a folder that this user may write with --backup-dir."};
  }
  // A file system without locks keeps what was left there: nobody's lock can be asked for either.
  static_cast<void>(::flock(m_file.number(), LOCK_EX | LOCK_NB));
  remove_abandoned(folder);
}

PartialFile::~PartialFile() {
  if (!m_path.empty()) {
    ::unlink(m_path.c_str());
  }
}

bool PartialFile::publish(const std::filesystem::path& name) {
  fsync_file(m_path);
  if (const int problem = rename_without_overwriting(m_path, name); problem == EEXIST) {
    return false;
  } else if (problem != 0) {
    throw Error{ExitCode::backup, fmt::format("the file cannot be named '{}': {}", name.string(), error_text(problem))};
  }
  m_path.clear();
  m_file.close();
  fsync_folder(folder_of(name));
  return true;
}

std::filesystem::path PartialFile::publish_as(const std::string& stem, const std::string& extension) {
  for (int attempt = 0; attempt < k_name_attempts; ++attempt) {
    std::filesystem::path name = free_backup_name(m_path.parent_path(), stem, extension);
    if (publish(name)) {
      return name;
    }
  }
  throw Error{ExitCode::backup, fmt::format("no free name for a backup '{}{}'", stem, extension)};
}

}  // namespace taskctl
