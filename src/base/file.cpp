#include "base/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "base/descriptor.hpp"
#include "base/digest.hpp"
#include "base/error.hpp"

namespace taskctl {

namespace {

ExitCode code_of(int reason) {
  switch (reason) {
    case EACCES:
    case EPERM:
    case EROFS:
      return ExitCode::access;
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
    case ENAMETOOLONG:
    case ELOOP:
      return ExitCode::usage;
    default:
      return ExitCode::failed;
  }
}

void sync(const std::filesystem::path& path, int flags) {
  const Descriptor descriptor{open(path.c_str(), flags | O_CLOEXEC)};
  if (!descriptor) {
    throw_file_error("open", path, errno);
  }
  if (fsync(descriptor.number()) != 0) {
    throw_file_error("sync", path, errno);
  }
}

/// Removes a file unless it was renamed to its real name.
class Unfinished {
 public:
  explicit Unfinished(const std::filesystem::path& path) : m_path{path} {}
  ~Unfinished() {
    if (!m_done) {
      unlink(m_path.c_str());
    }
  }
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;
  void done() { m_done = true; }

 private:
  const std::filesystem::path& m_path;
  bool m_done = false;
};

}  // namespace

void throw_file_error(const char* what, const std::filesystem::path& path, int reason) {
  throw Error{code_of(reason), fmt::format("cannot {} '{}': {}", what, path.string(), error_text(reason))};
}

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path{"."};
}

std::string read_file(const std::filesystem::path& path, std::uint64_t limit) {
  const Descriptor file{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file) {
    throw_file_error("read", path, errno);
  }
  std::string content;
  std::vector<char> piece(std::size_t{1} << 16U);
  for (;;) {
    const ssize_t got = read_some(file.number(), piece.data(), piece.size());
    if (got < 0) {
      throw_file_error("read", path, errno);
    }
    if (got == 0) {
      return content;
    }
    content.append(piece.data(), static_cast<std::size_t>(got));
    if (content.size() > limit) {
      throw Error{ExitCode::usage, fmt::format("'{}' is larger than {} bytes", path.string(), limit)};
    }
  }
}

void write_file_durably(const std::filesystem::path& path, std::string_view content, unsigned mode) {
  const std::filesystem::path temporary =
      folder_of(path) / fmt::format(".{}.{}.tmp", path.filename().string().substr(0, 200), random_hex(6));
  Descriptor file{open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)};
  if (!file) {
    throw_file_error("write", path, errno);
  }
  Unfinished unfinished{temporary};
  if (!write_all(file.number(), content) || fsync(file.number()) != 0) {
    throw_file_error("write", path, errno);
  }
  file.close();
  if (rename(temporary.c_str(), path.c_str()) != 0) {
    throw_file_error("write", path, errno);
  }
  unfinished.done();
  fsync_folder(folder_of(path));
}

void fsync_file(const std::filesystem::path& path) {
  sync(path, O_RDONLY);
}

void fsync_folder(const std::filesystem::path& folder) {
  sync(folder, O_RDONLY | O_DIRECTORY);
}

std::uint64_t free_space(const std::filesystem::path& path) {
  std::filesystem::path existing = path.empty() ? std::filesystem::path{"."} : path;
  struct statvfs system {};
  while (statvfs(existing.c_str(), &system) != 0) {
    const std::filesystem::path parent = folder_of(existing);
    if ((errno != ENOENT && errno != ENOTDIR) || parent == existing) {
      throw_file_error("read the free space of", path, errno);
    }
    existing = parent;
  }
  return std::uint64_t{system.f_bavail} * system.f_frsize;
}

void make_private_folder(const std::filesystem::path& folder) {
  std::filesystem::path made;
  for (const std::filesystem::path& step : folder) {
    made /= step;
    struct stat found {};
    if (mkdir(made.c_str(), 0700) == 0 || (stat(made.c_str(), &found) == 0 && S_ISDIR(found.st_mode))) {
      continue;
    }
    throw Error{ExitCode::failed, fmt::format("cannot create the folder '{}': {}", made.string(), error_text(errno))};
  }
}

}  // namespace taskctl
