#include "store/sqlite/sqlite_backup.hpp"

#include <future>
#include <utility>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/digest.hpp"
#include "base/duration.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/timestamp.hpp"
#include "store/partial_file.hpp"
#include "store/sqlite/file_state.hpp"
#include "store/sqlite/sqlite_copy.hpp"

namespace taskctl {

namespace {

/// Copies of a file that its application changed meanwhile (only ReadMode::immutable has no lock against that).
constexpr int k_copy_attempts = 3;

/// Errors of the file helpers have no code of their own; here they mean that there is no backup.
template <typename Function>
auto as_backup_failure(const Function& function) {
  try {
    return function();
  } catch (const Error& error) {
    if (error.code() == ExitCode::failed) {
      throw Error{ExitCode::backup, error.message(), error.hint()};
    }
    throw;
  }
}

void check_stop(const StopSource* stop) {
  if (stop != nullptr && stop->requested()) {
    throw InterruptedError{"stopped while the backup was made"};
  }
}

bool is_there(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::symlink_status(path, ignored).type() != std::filesystem::file_type::not_found;
}

void copy_with_retries(SqliteConnection& source, const std::filesystem::path& target) {
  for (int attempt = 1;; ++attempt) {
    try {
      copy_database(source, target);
      return;
    } catch (const BusyError&) {
      if (attempt == k_copy_attempts) {
        throw;
      }
      std::filesystem::resize_file(target, 0);
    }
  }
}

void require_short_stall(const SqliteConnection& source, Duration limit) {
  if (source.file().wal_mode) {
    return;
  }
  const Duration stall = estimate_stall(source.path(), source.file().stamp.size);
  if (stall > limit) {
    throw Error{ExitCode::refused,
                fmt::format("copying '{}' would keep its writers waiting for about {} ms, the limit is {} ms",
                            source.path().string(), std::chrono::floor<std::chrono::milliseconds>(stall).count(),
                            std::chrono::floor<std::chrono::milliseconds>(limit).count()),
                "Run it when the application is quiet, allow more with --max-stall, or use journal_mode=WAL, where a "
                "copy keeps nobody waiting."};
  }
}

void require_same_counts(const BackupManifest& manifest, const std::map<std::string, std::int64_t>& counts,
                         const std::filesystem::path& file) {
  for (const auto& [table, rows] : manifest.row_counts) {
    const auto found = counts.find(table);
    if (found == counts.end() || found->second != rows) {
      throw Error{ExitCode::backup, fmt::format("'{}' has {} rows in table '{}', its manifest says {}", file.string(),
                                                found == counts.end() ? 0 : found->second, table, rows)};
    }
  }
}

/// Size and SHA-256. The manifest, read.
BackupManifest require_same_bytes(const std::filesystem::path& file) {
  BackupManifest manifest = read_manifest(file);
  if (manifest.engine != to_string(Engine::sqlite)) {
    throw Error{ExitCode::backup, fmt::format("'{}' is a backup of {}, not of SQLite", file.string(), manifest.engine)};
  }
  std::error_code problem;
  const std::uint64_t bytes = std::filesystem::file_size(file, problem);
  if (problem || bytes != manifest.bytes) {
    throw Error{ExitCode::backup, fmt::format("'{}' has {} bytes, its manifest says {}", file.string(),
                                              problem ? 0 : bytes, manifest.bytes)};
  }
  if (sha256_file(file) != manifest.sha256) {
    throw Error{ExitCode::backup, fmt::format("the SHA-256 of '{}' differs from its manifest", file.string()),
                "The file was changed or damaged since it was made; use another backup."};
  }
  return manifest;
}

/// A copy of the backup under a hidden name in `folder`, checked to the last index.
void restore_into(PartialFile& target, const std::filesystem::path& file, const BackupManifest& manifest,
                  const StopSource* stop) {
  std::error_code problem;
  std::filesystem::copy_file(file, target.path(), std::filesystem::copy_options::overwrite_existing, problem);
  if (problem) {
    throw Error{ExitCode::backup, fmt::format("cannot restore '{}': {}", file.string(), problem.message())};
  }
  fsync_file(target.path());
  require_same_counts(manifest, check_copy(target.path(), CheckDepth::full, stop), file);
}

void restore_into_scratch(const std::filesystem::path& file, const BackupManifest& manifest, const StopSource* stop) {
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
  require_space(folder, manifest.bytes);
  PartialFile scratch{folder};
  restore_into(scratch, file, manifest, stop);
}

/// Fills in what the copy itself tells. Hashing and checking run side by side: both read the whole file.
void examine(const std::filesystem::path& copy, const BackupRequest& request, BackupManifest& manifest) {
  std::future<std::string> digest = std::async(std::launch::async, [&copy] { return sha256_file(copy); });
  if (request.verify != VerifyLevel::none) {
    manifest.row_counts = check_copy(copy, CheckDepth::quick, request.stop);
  }
  manifest.sha256 = digest.get();
  manifest.bytes = std::filesystem::file_size(copy);
  if (request.verify == VerifyLevel::restore) {
    restore_into_scratch(copy, manifest, request.stop);
  }
  manifest.verified = request.verify;
}

/// The manifest comes last: a file without one is not a backup.
void finish(const std::filesystem::path& file, const BackupManifest& manifest) {
  try {
    write_file_durably(manifest_path(file), manifest_json(manifest));
  } catch (const Error&) {
    std::error_code ignored;
    std::filesystem::remove(file, ignored);
    throw;
  }
}

std::filesystem::path wanted_name(const SqliteConnection& source, const BackupRequest& request,
                                  const std::filesystem::path& folder, Instant created) {
  if (request.name.empty()) {
    return folder / fmt::format("{}_backup_{}.db", source.path().stem().string(), format_compact(created));
  }
  if (std::filesystem::path{request.name}.filename() != request.name) {
    throw Error{ExitCode::usage, fmt::format("'{}' is not a file name", request.name),
                "Give the folder with --backup-dir."};
  }
  return folder / request.name;
}

}  // namespace

SqliteBackup::SqliteBackup(Location location, OpenOptions options)
    : m_location{std::move(location)}, m_options{std::move(options)} {}

std::filesystem::path SqliteBackup::default_folder() const {
  return real_database_path(m_location.text).parent_path();
}

ScopeChoice SqliteBackup::choose_scope(const std::vector<TableName>& /*tables*/) {
  return {.scope = BackupScope::whole};
}

BackupResult SqliteBackup::make(const BackupRequest& request) {
  SqliteConnection source{m_location, Access::read, m_options};
  return as_backup_failure([&] { return make_copy(source, request); });
}

BackupResult SqliteBackup::make_copy(SqliteConnection& source, const BackupRequest& request) {
  const std::filesystem::path folder = request.folder.empty() ? source.path().parent_path() : request.folder;
  const Instant created = system_clock().now();
  const std::filesystem::path wanted = wanted_name(source, request, folder, created);
  PartialFile partial{folder};
  require_space(folder, source.file().stamp.size + source.file().stamp.wal_size.value_or(0));
  require_short_stall(source, request.max_stall);
  check_stop(request.stop);
  copy_with_retries(source, partial.path());
  check_stop(request.stop);

  BackupManifest manifest;
  manifest.engine = to_string(Engine::sqlite);
  manifest.source = m_location.display;
  manifest.identity = source.server().identity;
  manifest.database_version = source.server().version;
  manifest.taskctl_version = TASKCTL_VERSION;
  manifest.created = created;
  manifest.automatic = request.automatic;
  examine(partial.path(), request, manifest);
  check_stop(request.stop);

  BackupResult result{.path = partial.publish_as(wanted.stem().string(), wanted.extension().string()),
                      .manifest = std::move(manifest)};
  result.manifest.file = result.path.filename().string();
  finish(result.path, result.manifest);
  return result;
}

void SqliteBackup::verify(const std::filesystem::path& file, VerifyLevel level) {
  as_backup_failure([&] {
    const BackupManifest manifest = require_same_bytes(file);
    if (level == VerifyLevel::open) {
      require_same_counts(manifest, check_copy(file, CheckDepth::quick, nullptr), file);
    } else if (level == VerifyLevel::restore) {
      restore_into_scratch(file, manifest, nullptr);
    }
  });
}

void SqliteBackup::restore(const std::filesystem::path& file, const std::string& to) {
  const Location target = parse_location(to);
  if (target.engine != Engine::sqlite) {
    throw Error{ExitCode::usage, fmt::format("'{}' is not the path of a new SQLite database", target.display)};
  }
  const std::filesystem::path path{target.text};
  for (const std::string_view suffix : {"", "-wal", "-shm", "-journal"}) {
    if (is_there(beside(path, suffix))) {
      throw Error{ExitCode::refused, fmt::format("'{}' exists already", beside(path, suffix).string()),
                  "A backup is only restored to a new file, with nothing left over from an older one beside it."};
    }
  }
  as_backup_failure([&] {
    const BackupManifest manifest = require_same_bytes(file);
    PartialFile partial{path.parent_path()};
    require_space(path.parent_path(), manifest.bytes);
    restore_into(partial, file, manifest, nullptr);
    if (!partial.publish(path)) {
      throw Error{ExitCode::refused, fmt::format("'{}' exists already", path.string())};
    }
  });
}

}  // namespace taskctl
