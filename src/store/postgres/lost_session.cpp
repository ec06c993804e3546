#include "store/postgres/lost_session.hpp"

#include <chrono>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "store/postgres/conninfo.hpp"

namespace taskctl::postgres {

void end_process(Connection& connection, const ServerProcess& lost) {
  using namespace std::chrono_literals;
  const std::vector<Value> process{lost.pid, lost.started, application_name_end()};
  const auto deadline = system_clock().steady() + 5s;
  while (!connection
              .query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1::text::int AND "
                     "backend_start::text = $2::text AND right(application_name, length($3::text)) = $3::text AND "
                     "pid <> pg_backend_pid()",
                     process)
              .empty()) {
    if (system_clock().steady() >= deadline) {
      throw ConnectionLostError{"the server process " + lost.pid + " of the lost connection does not end"};
    }
    std::this_thread::sleep_for(20ms);
  }
}

}  // namespace taskctl::postgres
