#pragma once

#include "store/open_store.hpp"

namespace taskctl {

/// SQLite through SQLiteCpp and the system's libsqlite3.
Drivers::Driver sqlite_driver();

}  // namespace taskctl
