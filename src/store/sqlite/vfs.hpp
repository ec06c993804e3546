#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

struct sqlite3_file;

namespace taskctl {

/// Name of the SQLite VFS for connections that only read: the system's, but it never creates, deletes or opens for
/// writing anything beside the database. `mode=ro` alone does not promise that: on a WAL database it creates `-wal`
/// and `-shm` files of the reader's user, and the application's next write then fails. Registered on first use.
[[nodiscard]] const char* reading_vfs();

/// A database file opened for plain reading through SQLite's own VFS. Never replace it by plain file I/O: POSIX drops
/// all locks of this process on a file when any descriptor of it is closed, and only SQLite's VFS knows of the others.
class VfsFile {
 public:
  /// Throws Error{access} or Error{unavailable}.
  explicit VfsFile(const std::filesystem::path& path);
  ~VfsFile();
  VfsFile(const VfsFile&) = delete;
  VfsFile& operator=(const VfsFile&) = delete;

  [[nodiscard]] std::uint64_t size() const;
  /// Fills `buffer` from `offset`; what lies behind the end of the file becomes zero. Throws Error{failed}.
  void read(std::uint64_t offset, std::span<unsigned char> buffer) const;
  /// Somebody keeps even readers out, as an application with locking_mode=EXCLUSIVE does all the time.
  [[nodiscard]] bool is_locked_exclusively() const;

 private:
  std::filesystem::path m_path;
  const char* m_name;
  std::unique_ptr<std::byte[]> m_storage;
  sqlite3_file* m_file;
};

}  // namespace taskctl
