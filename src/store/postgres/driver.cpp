#include "store/postgres/driver.hpp"

#include "store/postgres/connection.hpp"
#include "store/postgres/postgres_backup.hpp"
#include "store/postgres/run_lock.hpp"

namespace taskctl {

Drivers::Driver postgres_driver() {
  Drivers::Driver driver;
  driver.open = [](const Location& location, Access access, const OpenOptions& options) -> std::unique_ptr<Connection> {
    return std::make_unique<postgres::PostgresConnection>(location, access, options);
  };
  driver.lock = [](Connection& connection, const Location& location, const LockRequest& request) {
    return postgres::take_run_lock(connection, location, request);
  };
  driver.backup = [](const Location& location, const OpenOptions& options) -> std::unique_ptr<BackupDriver> {
    return std::make_unique<postgres::PostgresBackup>(location, options);
  };
  return driver;
}

}  // namespace taskctl
