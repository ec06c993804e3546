#pragma once

#include <string>
#include <string_view>

#include "store/connection.hpp"
#include "store/location.hpp"

namespace taskctl::postgres {

/// A statement that gave up waiting for a lock.
struct LockWait {
  Access access = Access::read;
  std::string sql;      ///< names its tables in quotes
  std::string context;  ///< the server's: "while updating tuple (0,1) in relation \"tasks\""; empty for a table lock
};

/// The BusyError for it. Asks the server, over a session of its own and for at most a few seconds, who is in the way;
/// what cannot be learned is left out.
[[noreturn]] void throw_lock_timeout(const Location& location, const OpenOptions& options, const ServerInfo& server,
                                     const LockWait& wait, const std::string& message);

}  // namespace taskctl::postgres
