#pragma once

#include <string>

#include "store/connection.hpp"

namespace taskctl::postgres {

/// The process that serves a session; `started` tells it from another that has got its number.
struct ServerProcess {
  std::string pid;
  std::string started;
};

/// Ends the server process of a session of ours that was lost, if it is still there: a server that has not noticed the
/// loss would keep the run lock and the rows of its transaction for hours. One that a pool has given to somebody else
/// bears another application_name. Waits until it is gone; throws ConnectionLostError when it does not go away in time.
void end_process(Connection& connection, const ServerProcess& lost);

}  // namespace taskctl::postgres
