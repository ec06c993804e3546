#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/stop.hpp"
#include "base/time.hpp"
#include "model/change.hpp"
#include "store/connection.hpp"

namespace taskctl {

enum class VerifyLevel {
  none,     ///< the copy is made and fsynced, nothing more
  open,     ///< SQLite: quick_check and row counts on the copy; PostgreSQL: contents of the archive listed
  restore,  ///< restored into a scratch place and counted there
};
[[nodiscard]] std::string_view to_string(VerifyLevel level);
[[nodiscard]] std::optional<VerifyLevel> parse_verify_level(std::string_view text);

enum class BackupScope {
  whole,   ///< the whole database
  tables,  ///< the named tables (PostgreSQL: pg_dump -Fc)
  rows,    ///< the rows that a plan touches, with their tables' definitions (PostgreSQL)
};
[[nodiscard]] std::string_view to_string(BackupScope scope);

/// What stands beside every backup as FILE.manifest.json, written last.
struct BackupManifest {
  std::string file;  ///< name without folder
  std::string engine;
  BackupScope scope = BackupScope::whole;
  std::string source;    ///< redacted location
  std::string identity;  ///< of the database
  std::string database_version;
  std::string taskctl_version;
  Instant created{};  ///< real clock
  std::uint64_t bytes = 0;
  std::string sha256;
  std::map<std::string, std::int64_t> row_counts;  ///< by table
  VerifyLevel verified = VerifyLevel::none;
  bool automatic = false;  ///< made before a repair; only these are pruned by the default of 7
};

struct BackupRequest {
  BackupScope scope = BackupScope::whole;
  std::filesystem::path folder;  ///< empty: the driver's default place
  std::string name;              ///< empty: <stem>_backup_YYYYMMDD_HHMMSS.<ext>; never overwrites (-2, -3 …)
  VerifyLevel verify = VerifyLevel::open;
  bool automatic = false;
  Duration max_stall = std::chrono::seconds{2};
  std::vector<TableName> tables;                                ///< scope tables
  std::vector<std::pair<TableName, std::vector<RowKey>>> rows;  ///< scope rows
  const StopSource* stop = nullptr;
};

struct BackupResult {
  std::filesystem::path path;
  BackupManifest manifest;
};

/// What `--backup auto` comes to, and why it is not more.
struct ScopeChoice {
  BackupScope scope = BackupScope::whole;
  std::string reason;  ///< why the tables are not dumped: "they are larger than 1 GiB"; empty when nothing is left out
  std::string remedy;  ///< what would allow it: statements, an option, a package
};

/// Makes and checks backups of one database. Every failure is Error{backup}; a failed backup leaves no file behind.
class BackupDriver {
 public:
  virtual ~BackupDriver() = default;
  /// Folder where backups of this database go by default.
  [[nodiscard]] virtual std::filesystem::path default_folder() const = 0;
  /// What `--backup auto` means for these tables here (PostgreSQL: tables or rows; SQLite: whole).
  virtual ScopeChoice choose_scope(const std::vector<TableName>& tables) = 0;
  virtual BackupResult make(const BackupRequest& request) = 0;
  /// Checks file against manifest (size, SHA-256) and then as `level` says. Throws Error{backup} naming what differs.
  virtual void verify(const std::filesystem::path& file, VerifyLevel level) = 0;
  /// Makes a new database from a backup. Refuses an existing target (Error{refused}).
  virtual void restore(const std::filesystem::path& file, const std::string& to) = 0;
};

/// Text as a manifest can hold it: JSON has no place for bytes that are not UTF-8, file and table names may have them.
[[nodiscard]] std::string manifest_text(std::string_view text);
/// Reads and writes manifests; shared by both drivers (backup.cpp).
[[nodiscard]] std::string manifest_json(const BackupManifest& manifest);
[[nodiscard]] BackupManifest parse_manifest(const std::string& json, const std::string& file);
[[nodiscard]] std::filesystem::path manifest_path(const std::filesystem::path& backup);
/// The manifest of a backup that somebody named. Throws Error{usage} when there is neither file nor manifest,
/// Error{backup} when one of the two is missing or the manifest cannot be used.
[[nodiscard]] BackupManifest read_manifest(const std::filesystem::path& backup);
/// A name in `folder` that does not exist yet: `wanted`, `wanted-2`, … (before the extension).
[[nodiscard]] std::filesystem::path free_backup_name(const std::filesystem::path& folder, const std::string& stem,
                                                     const std::string& extension);

/// A backup in the catalogue of a folder.
struct BackupListing {
  std::filesystem::path path;
  std::optional<BackupManifest> manifest;  ///< nullopt: no readable manifest
  std::string problem;  ///< "file is missing", "manifest is missing", "size differs"; empty when fine
};
/// Newest first. Listed from both sides: files without manifest and manifests without file are shown.
[[nodiscard]] std::vector<BackupListing> list_backups(const std::filesystem::path& folder);

/// Removes backups beyond the newest `keep` and older than `keep_within`; never the newest verified one, never one
/// without a readable manifest, never one dated in the future. Only those of the same database identity. Returns what
/// was removed.
struct Retention {
  std::optional<std::size_t> keep;
  std::optional<Duration> keep_within;
  bool automatic_only = true;
};
std::vector<std::filesystem::path> prune_backups(const std::filesystem::path& folder, const std::string& identity,
                                                 const Retention& retention, Instant now);

}  // namespace taskctl
