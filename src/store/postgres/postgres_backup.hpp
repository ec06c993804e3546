#pragma once

#include "store/backup.hpp"
#include "store/connection.hpp"
#include "store/location.hpp"
#include "store/postgres/client_tools.hpp"
#include "store/postgres/connection.hpp"

namespace taskctl::postgres {

/// Backups of a PostgreSQL database: an archive of pg_dump (whole, tables) or a psql script (rows). Everything in one
/// backup, row counts of the manifest included, is of one snapshot.
class PostgresBackup final : public BackupDriver {
 public:
  PostgresBackup(Location location, OpenOptions options);

  [[nodiscard]] std::filesystem::path default_folder() const override;
  /// tables, when pg_dump is not older than the server, they are under 1 GiB and this role may read all that pg_dump
  /// needs; else rows.
  ScopeChoice choose_scope(const std::vector<TableName>& tables) override;
  BackupResult make(const BackupRequest& request) override;
  void verify(const std::filesystem::path& file, VerifyLevel level) override;
  /// Always throws Error{usage}: its hint is the command that restores this backup with PostgreSQL's own tools.
  void restore(const std::filesystem::path& file, const std::string& to) override;

 private:
  BackupResult make_checked(const BackupRequest& request);
  void write(PostgresConnection& connection, const BackupRequest& request, const std::filesystem::path& file,
             BackupManifest& manifest) const;
  void dump(PostgresConnection& connection, const BackupRequest& request, const std::filesystem::path& file,
            BackupManifest& manifest) const;
  void check_content(const std::filesystem::path& file, const BackupManifest& manifest, VerifyLevel level,
                     const StopSource* stop) const;
  void restore_and_count(const std::filesystem::path& file, const BackupManifest& manifest,
                         const StopSource* stop) const;

  Location m_location;
  OpenOptions m_options;
};

}  // namespace taskctl::postgres
