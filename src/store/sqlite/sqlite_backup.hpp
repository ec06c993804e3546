#pragma once

#include "store/backup.hpp"
#include "store/location.hpp"
#include "store/sqlite/connection.hpp"

namespace taskctl {

/// Copies a SQLite database with the online backup API in one step: a loop of small steps starts over at every write of
/// the application and may never end. The source is read the harmless way (SqliteConnection, Access::read). In rollback
/// mode the copy keeps writers waiting, so its length is estimated first.
/// A source that cannot be opened gives the errors of SqliteConnection, a stall over the limit Error{refused}, a stop
/// InterruptedError; every other failure is Error{backup}, and no failure leaves a file.
class SqliteBackup final : public BackupDriver {
 public:
  SqliteBackup(Location location, OpenOptions options);

  [[nodiscard]] std::filesystem::path default_folder() const override;
  ScopeChoice choose_scope(const std::vector<TableName>& tables) override;
  BackupResult make(const BackupRequest& request) override;
  void verify(const std::filesystem::path& file, VerifyLevel level) override;
  void restore(const std::filesystem::path& file, const std::string& to) override;

 private:
  BackupResult make_copy(SqliteConnection& source, const BackupRequest& request);

  const Location m_location;
  const OpenOptions m_options;
};

}  // namespace taskctl
