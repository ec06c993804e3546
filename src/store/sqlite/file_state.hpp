#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

namespace taskctl {

/// What changes when anybody writes to a database that nobody had open.
struct FileStamp {
  dev_t device = 0;
  ino_t inode = 0;
  std::int64_t created_ns = 0;  ///< 0: the file system does not tell
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;
  std::uint32_t change_counter = 0;       ///< header bytes 24-27
  std::optional<std::uint64_t> wal_size;  ///< of the -wal file; nullopt when there is none
  std::optional<std::uint64_t> journal_size;
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
  /// The file itself is as it was, if its time could change since the stamp was taken. A -wal may have come or gone:
  /// nobody who read the file alone misses a row that was there when the reading began.
  [[nodiscard]] bool has_same_content(const FileStamp& other) const;
};

/// A database file as it lies there, found out without SQLite opening it as a database.
struct FileState {
  FileStamp stamp;
  bool wal_mode = false;  ///< header bytes 18-19
  bool has_shm = false;
  bool journal_begun = false;  ///< the -journal has content that is not wiped: a writer is at work, or died
  std::uint32_t page_size = 0;
};

/// How a file can be read without doing harm.
enum class ReadMode {
  shared,     ///< `mode=ro` with locks: rollback mode, or WAL mode with its application at work or killed
  immutable,  ///< WAL mode and nobody there: no locks, no -shm; the stamp must be compared after reading
  recovery,   ///< only a writer can bring the files into order: a -wal without -shm, or an idle WAL file with a journal
};

/// The path with a suffix, as SQLite names its -wal and -journal.
[[nodiscard]] std::filesystem::path beside(const std::filesystem::path& path, std::string_view suffix);

/// Absolute path with all symbolic links resolved. Throws Error{unavailable}, Error{access}.
[[nodiscard]] std::filesystem::path real_database_path(const std::filesystem::path& path);

/// Throws Error{unavailable} (missing, not a regular file), Error{access}, Error{mismatch} (empty, not a database,
/// truncated).
[[nodiscard]] FileState inspect_database_file(const std::filesystem::path& path);

[[nodiscard]] ReadMode choose_read_mode(const FileState& state);

/// Throws unless this process may write the file, what its application left beside it, and create a journal there:
/// Error{refused} when the medium is read-only, Error{access} when permissions forbid it.
void require_writable(const std::filesystem::path& path);

}  // namespace taskctl
