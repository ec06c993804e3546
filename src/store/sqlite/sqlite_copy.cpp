#include "store/sqlite/sqlite_copy.hpp"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <vector>

#include <SQLiteCpp/Backup.h>
#include <SQLiteCpp/Exception.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include "base/clock.hpp"
#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/new_file.hpp"
#include "store/sqlite/sqlite_error.hpp"
#include "store/sqlite/sqlite_uri.hpp"
#include "store/sqlite/vfs.hpp"

namespace taskctl {

namespace {

constexpr std::uint64_t k_mebibyte = 1U << 20U;
/// Room for the manifest and the file system's own bookkeeping.
constexpr std::uint64_t k_space_reserve = k_mebibyte;
constexpr std::uint64_t k_samples = 16;
/// Copying reads and writes memory at about the same speed; the sample only reads.
constexpr int k_copy_factor = 2;
/// Virtual machine instructions between two looks at the stop source: well under a millisecond.
constexpr int k_progress_steps = 10'000;

[[noreturn]] void throw_backup_error(const std::filesystem::path& file, const std::string& what,
                                     const std::string& hint = {}) {
  throw Error{ExitCode::backup, fmt::format("cannot copy the database to '{}': {}", file.string(), what), hint};
}

int stop_when_requested(void* source) {
  const auto* const stop = static_cast<const StopSource*>(source);
  return stop->requested() ? 1 : 0;
}

/// "ok", or the first of the problems.
std::string integrity(SQLite::Database& database, CheckDepth depth) {
  SQLite::Statement statement{database,
                              depth == CheckDepth::full ? "PRAGMA integrity_check(1)" : "PRAGMA quick_check(1)"};
  return statement.executeStep() ? std::string{statement.getColumn(0).getText()} : "no answer";
}

std::map<std::string, std::int64_t> count_rows(SQLite::Database& database) {
  // Virtual tables may need modules that are not here; their content lies in shadow tables, which are counted.
  SQLite::Statement tables{database,
                           "SELECT name, replace(name, '\"', '\"\"') FROM sqlite_master WHERE type = 'table' "
                           "AND name NOT LIKE 'sqlite~_%' ESCAPE '~' AND sql NOT LIKE 'CREATE VIRTUAL%'"};
  std::map<std::string, std::int64_t> counts;
  while (tables.executeStep()) {
    SQLite::Statement count{database, fmt::format("SELECT count(*) FROM \"{}\"", tables.getColumn(1).getText())};
    count.executeStep();
    counts[manifest_text(tables.getColumn(0).getText())] = count.getColumn(0).getInt64();
  }
  return counts;
}

std::int64_t page_count(SQLite::Database& database) {
  return database.execAndGet("PRAGMA page_count").getInt64();
}

/// All pages in one step; the backup object ends here, before the snapshot does.
void copy_pages(SQLite::Database& target, SqliteConnection& source, std::int64_t pages,
                const std::filesystem::path& path) {
  SQLite::Backup backup{target, source.database()};
  const int code = backup.executeStep(-1);
  if (code == SQLITE_BUSY || code == SQLITE_LOCKED) {
    throw_sqlite_error(code, "", source.path().string());
  }
  if (code != SQLITE_DONE || backup.getRemainingPageCount() != 0 || backup.getTotalPageCount() != pages) {
    throw_backup_error(
        path, fmt::format("{} of {} pages were copied ({})",
                          backup.getTotalPageCount() - backup.getRemainingPageCount(), pages, sqlite3_errstr(code)));
  }
}

}  // namespace

void require_space(const std::filesystem::path& folder, std::uint64_t bytes) {
  const std::uint64_t space = free_space(folder);
  if (space < bytes + k_space_reserve) {
    throw Error{ExitCode::backup,
                fmt::format("'{}' has {} MiB of free space, the copy needs {} MiB", folder.string(), space / k_mebibyte,
                            (bytes + k_space_reserve) / k_mebibyte + 1),
                "Make room, or give another folder with --backup-dir."};
  }
}

Duration estimate_stall(const std::filesystem::path& source, std::uint64_t bytes) {
  const std::uint64_t sample = std::min(bytes, k_samples * k_mebibyte);
  const VfsFile file{source};
  std::vector<unsigned char> buffer(k_mebibyte);
  const auto begin = system_clock().steady();
  for (std::uint64_t read = 0; read < sample; read += k_mebibyte) {
    file.read(read * (bytes / sample), buffer);
  }
  const std::chrono::duration<double> elapsed = system_clock().steady() - begin;
  const double factor = static_cast<double>(bytes) / static_cast<double>(std::max<std::uint64_t>(sample, 1));
  return std::chrono::duration_cast<Duration>(elapsed * factor * k_copy_factor);
}

void copy_database(SqliteConnection& source, const std::filesystem::path& target) {
  try {
    SQLite::Database copy{sqlite_file_uri(target, "mode=rw"), SQLite::OPEN_READWRITE | SQLite::OPEN_URI};
    // The file has no name yet that anybody trusts, and is fsynced as a whole at the end.
    copy.exec("PRAGMA journal_mode=OFF");
    copy.exec("PRAGMA synchronous=OFF");
    // The snapshot begins here and not in the step, so that the page count belongs to the state that is copied.
    Transaction snapshot{source, Access::read};
    copy_pages(copy, source, page_count(source.database()), target);
    snapshot.commit();
  } catch (const SQLite::Exception& error) {
    if (error.getErrorCode() == SQLITE_FULL) {
      throw_backup_error(target.parent_path(), "no space left",
                         "Make room there, or give another folder with --backup-dir.");
    }
    throw_backup_error(target, error.what());
  }
  fsync_file(target);
}

std::map<std::string, std::int64_t> check_copy(const std::filesystem::path& file, CheckDepth depth,
                                               const StopSource* stop) {
  try {
    // immutable: a copy of a WAL database would get a -wal and a -shm otherwise.
    SQLite::Database database{sqlite_file_uri(file, "mode=ro&immutable=1"), SQLite::OPEN_READONLY | SQLite::OPEN_URI, 0,
                              reading_vfs()};
    if (stop != nullptr) {
      sqlite3_progress_handler(database.getHandle(), k_progress_steps, &stop_when_requested,
                               const_cast<StopSource*>(stop));
    }
    if (depth != CheckDepth::counts) {
      if (const std::string found = integrity(database, depth); found != "ok") {
        throw Error{ExitCode::backup, fmt::format("the copy '{}' is damaged: {}", file.string(), found)};
      }
    }
    return count_rows(database);
  } catch (const SQLite::Exception& error) {
    if (error.getErrorCode() == SQLITE_INTERRUPT) {
      throw InterruptedError{"stopped while the backup was checked"};
    }
    throw Error{ExitCode::backup, fmt::format("the copy '{}' is damaged: {}", file.string(), error.what())};
  }
}

}  // namespace taskctl
