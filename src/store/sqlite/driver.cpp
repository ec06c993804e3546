#include "store/sqlite/driver.hpp"

#include <memory>

#include "store/sqlite/connection.hpp"
#include "store/sqlite/run_lock.hpp"
#include "store/sqlite/sqlite_backup.hpp"

namespace taskctl {

Drivers::Driver sqlite_driver() {
  Drivers::Driver driver;
  driver.open = [](const Location& location, Access access, const OpenOptions& options) {
    return std::make_unique<SqliteConnection>(location, access, options);
  };
  driver.lock = [](Connection& connection, const Location& /*location*/, const LockRequest& request) {
    return acquire_sqlite_run_lock(connection, request);
  };
  driver.backup = [](const Location& location, const OpenOptions& options) {
    return std::make_unique<SqliteBackup>(location, options);
  };
  return driver;
}

}  // namespace taskctl
