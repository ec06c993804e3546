#pragma once

#include "store/open_store.hpp"

namespace taskctl {

/// PostgreSQL 13 and newer through libpqxx 6.4.
Drivers::Driver postgres_driver();

}  // namespace taskctl
