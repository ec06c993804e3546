#include "store/sqlite/file_state.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <span>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/error.hpp"
#include "store/sqlite/vfs.hpp"

namespace taskctl {

namespace {

// https://sqlite.org/fileformat2.html#the_database_header
constexpr std::string_view k_magic{"SQLite format 3\0", 16};
constexpr std::size_t k_header_size = 100;
constexpr std::size_t k_page_size_at = 16;
constexpr std::size_t k_read_version_at = 19;
constexpr std::size_t k_change_counter_at = 24;
constexpr std::size_t k_page_count_at = 28;
constexpr std::size_t k_valid_for_at = 92;  ///< change counter for which the page count is right
constexpr unsigned char k_wal_version = 2;

using Header = std::array<unsigned char, k_header_size>;

std::uint32_t big_endian(std::span<const unsigned char> bytes) {
  std::uint32_t number = 0;
  for (const unsigned char byte : bytes) {
    number = (number << 8U) | byte;
  }
  return number;
}

std::uint32_t field(const Header& header, std::size_t at, std::size_t size) {
  return big_endian(std::span{header}.subspan(at, size));
}

[[noreturn]] void throw_cannot_open(const std::filesystem::path& path, int number) {
  if (number == EACCES || number == EPERM) {
    throw Error{ExitCode::access, fmt::format("no permission to open '{}'", path.string()),
                "Run taskctl as a user that may read the file and enter its folder."};
  }
  if (number == ENOENT) {
    throw Error{ExitCode::unavailable, fmt::format("there is no file '{}'", path.string()),
                "Check the path; taskctl never creates a database."};
  }
  throw Error{ExitCode::unavailable, fmt::format("cannot open '{}': {}", path.string(), std::strerror(number))};
}

/// 0 where the file system does not tell. The number of a removed file is soon another's.
std::int64_t created_ns(const std::filesystem::path& path) {
  constexpr std::int64_t k_ns_per_s = 1'000'000'000;
  struct statx info {};
  if (::statx(AT_FDCWD, path.c_str(), 0, STATX_BTIME, &info) != 0 || (info.stx_mask & STATX_BTIME) == 0) {
    return 0;
  }
  return info.stx_btime.tv_sec * k_ns_per_s + info.stx_btime.tv_nsec;
}

struct stat require_regular_file(const std::filesystem::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    throw_cannot_open(path, errno);
  }
  if (!S_ISREG(info.st_mode)) {
    throw Error{ExitCode::unavailable, fmt::format("'{}' is {}, not a database file", path.string(),
                                                   S_ISDIR(info.st_mode) ? "a directory" : "a device, pipe or socket")};
  }
  if (info.st_size == 0) {
    throw Error{ExitCode::mismatch, fmt::format("'{}' is empty, not a database", path.string()),
                "Check the path; a mistyped name may have been created by another program."};
  }
  return info;
}

/// nullopt when the file does not exist.
std::optional<std::uint64_t> size_of(const std::filesystem::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) {
      return std::nullopt;
    }
    throw_cannot_open(path, errno);
  }
  return static_cast<std::uint64_t>(info.st_size);
}

void require_readable(const std::filesystem::path& path) {
  if (::access(path.c_str(), R_OK) != 0 && errno != ENOENT) {
    throw_cannot_open(path, errno);
  }
}

/// journal_mode=PERSIST wipes the journal's header and TRUNCATE its content when a transaction ends.
bool has_begun(const std::filesystem::path& journal) {
  std::ifstream file{journal, std::ios::binary};
  const int first = file.get();
  return file.good() && first != 0;
}

std::uint32_t page_size_of(const Header& header) {
  const std::uint32_t stored = field(header, k_page_size_at, 2);
  return stored == 1 ? 65536 : stored;
}

void require_whole_file(const std::filesystem::path& path, const Header& header, const FileState& state) {
  const std::uint64_t pages = field(header, k_page_count_at, 4);
  const bool count_is_valid = field(header, k_valid_for_at, 4) == state.stamp.change_counter;
  const bool nobody_writes = !state.stamp.wal_size && !state.journal_begun;
  if (count_is_valid && nobody_writes && state.stamp.size < pages * state.page_size) {
    throw Error{ExitCode::mismatch,
                fmt::format("'{}' is truncated: {} of {} bytes are there", path.string(), state.stamp.size,
                            pages * state.page_size),
                "Restore it from a backup; 'sqlite3 FILE .recover' salvages what can still be read."};
  }
}

void require_permission(const std::filesystem::path& path, const char* verb) {
  if (::access(path.c_str(), W_OK) == 0) {
    return;
  }
  if (errno == EROFS) {
    throw Error{ExitCode::refused, fmt::format("'{}' lies on a read-only file system", path.string())};
  }
  throw Error{ExitCode::access, fmt::format("no permission to {} '{}'", verb, path.string()),
              "Run taskctl as the user that owns the database."};
}

}  // namespace

std::filesystem::path beside(const std::filesystem::path& path, std::string_view suffix) {
  return std::filesystem::path{path.string().append(suffix)};
}

std::filesystem::path real_database_path(const std::filesystem::path& path) {
  std::error_code problem;
  std::filesystem::path real = std::filesystem::canonical(path, problem);
  if (problem) {
    throw_cannot_open(path, problem.value());
  }
  return real;
}

bool FileStamp::has_same_content(const FileStamp& other) const {
  FileStamp without_wal = other;
  without_wal.wal_size = wal_size;
  return *this == without_wal;
}

FileState inspect_database_file(const std::filesystem::path& path) {
  require_regular_file(path);
  const VfsFile file{path};
  Header header{};
  file.read(0, header);
  if (!std::string_view{reinterpret_cast<const char*>(header.data()), k_magic.size()}.starts_with(k_magic)) {
    throw Error{ExitCode::mismatch, fmt::format("'{}' is not a SQLite database, or it is encrypted", path.string())};
  }
  const struct stat info = require_regular_file(path);
  FileState state;
  state.wal_mode = header[k_read_version_at] == k_wal_version;
  state.page_size = page_size_of(header);
  state.stamp.device = info.st_dev;
  state.stamp.inode = info.st_ino;
  state.stamp.created_ns = created_ns(path);
  state.stamp.size = static_cast<std::uint64_t>(info.st_size);
  state.stamp.modified_ns = std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec;
  state.stamp.change_counter = field(header, k_change_counter_at, 4);
  const std::filesystem::path wal = beside(path, "-wal");
  const std::filesystem::path shm = beside(path, "-shm");
  const std::filesystem::path journal = beside(path, "-journal");
  state.stamp.wal_size = size_of(wal);
  state.stamp.journal_size = size_of(journal);
  state.has_shm = size_of(shm).has_value();
  for (const std::filesystem::path& companion : {wal, shm, journal}) {
    require_readable(companion);
  }
  state.journal_begun = state.stamp.journal_size.value_or(0) > 0 && has_begun(journal);
  require_whole_file(path, header, state);
  return state;
}

ReadMode choose_read_mode(const FileState& state) {
  const bool has_frames = state.stamp.wal_size.value_or(0) > 0;
  if (state.stamp.wal_size && state.has_shm) {
    return ReadMode::shared;
  }
  // Without its -shm a -wal with content is only readable by whoever may create one, and that would be a file of ours.
  if (has_frames || (state.wal_mode && state.journal_begun)) {
    return ReadMode::recovery;
  }
  return state.wal_mode || state.stamp.wal_size ? ReadMode::immutable : ReadMode::shared;
}

void require_writable(const std::filesystem::path& path) {
  require_permission(path, "write");
  require_permission(path.parent_path(), "create a journal in");
  for (const char* const suffix : {"-wal", "-shm", "-journal"}) {
    if (size_of(beside(path, suffix))) {
      require_permission(beside(path, suffix), "write");
    }
  }
}

}  // namespace taskctl
