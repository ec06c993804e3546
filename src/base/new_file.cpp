#include "base/new_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/file.hpp"

namespace taskctl {

namespace {

[[noreturn]] void refuse_taken(const std::filesystem::path& path) {
  throw Error{ExitCode::refused, fmt::format("'{}' exists already", path.string()),
              "Choose another name: no file is overwritten."};
}

std::filesystem::path temporary_beside(const std::filesystem::path& path) {
  constexpr std::size_t k_longest_stem = 200;  // names end at 255 bytes
  return folder_of(path) / fmt::format(".{}.{}.tmp", path.filename().string().substr(0, k_longest_stem), random_hex(6));
}

}  // namespace

int rename_without_overwriting(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) {
    return 0;
  }
  if (errno != EINVAL && errno != ENOSYS) {
    return errno;
  }
  // A file system that does not know the flag gets a hard link, which does not overwrite either.
  if (::link(from.c_str(), to.c_str()) != 0) {
    return errno;
  }
  ::unlink(from.c_str());
  return 0;
}

NewFile::NewFile(std::filesystem::path path) : m_path{std::move(path)}, m_temporary{temporary_beside(m_path)} {
  std::error_code ignored;
  if (std::filesystem::exists(std::filesystem::symlink_status(m_path, ignored))) {
    refuse_taken(m_path);
  }
  m_file = Descriptor{open(m_temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)};
  if (!m_file) {
    throw_file_error("write", m_path, errno);
  }
}

NewFile::~NewFile() {
  if (!m_published && m_file) {
    ::unlink(m_temporary.c_str());
  }
}

void NewFile::append(std::string_view bytes) {
  if (!write_all(m_file.number(), bytes)) {
    throw_file_error("write", m_path, errno);
  }
}

void NewFile::publish() {
  if (fsync(m_file.number()) != 0) {
    throw_file_error("write", m_path, errno);
  }
  if (const int problem = rename_without_overwriting(m_temporary, m_path); problem == EEXIST) {
    refuse_taken(m_path);
  } else if (problem != 0) {
    throw_file_error("write", m_path, problem);
  }
  m_published = true;
  fsync_folder(folder_of(m_path));
}

}  // namespace taskctl
