#include "store/postgres/driver.hpp"
#include "store/sqlite/driver.hpp"
#include "support/databases.hpp"

namespace taskctl::test {

std::unique_ptr<Connection> TempDatabase::open(Access access) {
  const Drivers::Driver driver = engine() == Engine::sqlite ? sqlite_driver() : postgres_driver();
  OpenOptions options;
  options.application = "taskctl test";
  return driver.open(parse_location(location()), access, options);
}

}  // namespace taskctl::test
