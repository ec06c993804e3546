#include "store/postgres/backup_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/new_file.hpp"
#include "store/backup.hpp"

namespace taskctl::postgres {
namespace {

constexpr int k_name_attempts = 100;

std::string reason(int error) {
  return std::generic_category().message(error);
}

/// False when somebody has taken the name in the meantime.
bool rename_without_replacing(const std::filesystem::path& from, const std::filesystem::path& to) {
  const int problem = rename_without_overwriting(from, to);
  if (problem != 0 && problem != EEXIST) {
    throw Error{ExitCode::backup, "the backup cannot be named '" + to.string() + "': " + reason(problem)};
  }
  return problem == 0;
}

}  // namespace

TemporaryFile::TemporaryFile(const std::filesystem::path& folder)
    : m_path{folder / (".taskctl-" + random_hex(8) + ".tmp")} {
  const int descriptor = ::open(m_path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    throw Error{ExitCode::backup, "no file can be created in '" + folder.string() + "': " + reason(errno),
                "Name a folder that this user may write with --backup-dir."};
  }
  ::close(descriptor);
}

TemporaryFile::~TemporaryFile() {
  if (!m_path.empty()) {
    std::error_code ignored;
    std::filesystem::remove(m_path, ignored);
  }
}

std::filesystem::path TemporaryFile::publish(const std::string& stem, const std::string& extension) {
  fsync_file(m_path);
  for (int attempt = 0; attempt < k_name_attempts; ++attempt) {
    std::filesystem::path name = free_backup_name(m_path.parent_path(), stem, extension);
    if (rename_without_replacing(m_path, name)) {
      m_path.clear();
      fsync_folder(name.parent_path());
      return name;
    }
  }
  throw Error{ExitCode::backup, "no free name for a backup '" + stem + extension + "'"};
}

}  // namespace taskctl::postgres
