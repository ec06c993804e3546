#pragma once

#include <memory>

#include "store/connection.hpp"
#include "store/location.hpp"
#include "store/run_lock.hpp"

namespace taskctl::postgres {

/// Takes the session advisory lock of this database on `connection`, which must outlive the lock. One per database,
/// whatever role, host name or pooler leads to it; the server drops it with the session.
std::unique_ptr<RunLock> take_run_lock(Connection& connection, const Location& location, const LockRequest& request);

}  // namespace taskctl::postgres
