#include "store/sqlite/vfs.hpp"

#include <unistd.h>

#include <fmt/format.h>
#include <sqlite3.h>

#include "base/error.hpp"

namespace taskctl {

namespace {

/// Files that lie beside a database. Temporary files of sorts and the like have other kinds (and no name).
constexpr int k_kinds_beside_database =
    SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL;

int open_existing(sqlite3_vfs* /*vfs*/, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  if ((flags & k_kinds_beside_database) != 0) {
    flags &= ~(SQLITE_OPEN_CREATE | SQLITE_OPEN_READWRITE | SQLITE_OPEN_DELETEONCLOSE);
    flags |= SQLITE_OPEN_READONLY;
  }
  sqlite3_vfs* const system = sqlite3_vfs_find(nullptr);
  return system->xOpen(system, name, file, flags, out_flags);
}

int refuse_delete(sqlite3_vfs* /*vfs*/, const char* /*name*/, int /*sync_folder*/) {
  return SQLITE_IOERR_DELETE;
}

}  // namespace

const char* reading_vfs() {
  static sqlite3_vfs vfs = [] {
    sqlite3_vfs copy = *sqlite3_vfs_find(nullptr);
    copy.zName = "taskctl-reading";
    copy.pNext = nullptr;
    copy.xOpen = open_existing;
    copy.xDelete = refuse_delete;
    return copy;
  }();
  static const int registered = sqlite3_vfs_register(&vfs, 0);
  if (registered != SQLITE_OK) {
    throw Error{ExitCode::failed, "cannot register the reading VFS of SQLite"};
  }
  return vfs.zName;
}

VfsFile::VfsFile(const std::filesystem::path& path)
    : m_path{path}, m_name{sqlite3_create_filename(path.c_str(), "", "", 0, nullptr)}, m_file{nullptr} {
  sqlite3_vfs* const system = sqlite3_vfs_find(nullptr);
  m_storage = std::make_unique<std::byte[]>(static_cast<std::size_t>(system->szOsFile));
  m_file = reinterpret_cast<sqlite3_file*>(m_storage.get());
  int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_MAIN_DB;
  const int code = m_name == nullptr ? SQLITE_NOMEM : system->xOpen(system, m_name, m_file, flags, &flags);
  if (code != SQLITE_OK) {
    sqlite3_free_filename(const_cast<char*>(m_name));
    if (::access(path.c_str(), R_OK) != 0) {
      throw Error{ExitCode::access, fmt::format("no permission to read '{}'", path.string()),
                  "Run taskctl as a user that may read the file."};
    }
    throw Error{ExitCode::unavailable, fmt::format("cannot open '{}': {}", path.string(), sqlite3_errstr(code))};
  }
}

VfsFile::~VfsFile() {
  m_file->pMethods->xClose(m_file);
  sqlite3_free_filename(const_cast<char*>(m_name));
}

std::uint64_t VfsFile::size() const {
  sqlite3_int64 bytes = 0;
  if (m_file->pMethods->xFileSize(m_file, &bytes) != SQLITE_OK) {
    throw Error{ExitCode::failed, fmt::format("cannot read the size of '{}'", m_path.string())};
  }
  return static_cast<std::uint64_t>(bytes);
}

void VfsFile::read(std::uint64_t offset, std::span<unsigned char> buffer) const {
  const int code = m_file->pMethods->xRead(m_file, buffer.data(), static_cast<int>(buffer.size()),
                                           static_cast<sqlite3_int64>(offset));
  if (code != SQLITE_OK && code != SQLITE_IOERR_SHORT_READ) {
    throw Error{ExitCode::failed, fmt::format("cannot read '{}': {}", m_path.string(), sqlite3_errstr(code))};
  }
}

bool VfsFile::is_locked_exclusively() const {
  const int code = m_file->pMethods->xLock(m_file, SQLITE_LOCK_SHARED);
  m_file->pMethods->xUnlock(m_file, SQLITE_LOCK_NONE);
  return code == SQLITE_BUSY;
}

}  // namespace taskctl
