#include <csignal>
#include <thread>

#include "cli/app.hpp"
#include "commands/registry.hpp"
#include "store/postgres/driver.hpp"
#include "store/sqlite/driver.hpp"
#include "store/sqlite/sighting_file.hpp"
#include "view/streams.hpp"

namespace {

// INT, TERM and HUP are blocked in every thread and taken here, because libpqxx does not return from a running query
// and nothing useful may be done in an asynchronous handler.
void watch_signals(taskctl::StopSource& stop, taskctl::Streams& streams, const sigset_t& signals) {
  for (;;) {
    int signal = 0;
    if (sigwait(&signals, &signal) != 0) {
      continue;
    }
    const bool first = !stop.requested();
    stop.request(signal);
    streams.error(first ? "stopping after the current step; once more to abandon it"
                        : "abandoning the current step: it is rolled back, everything before it stays");
  }
}

}  // namespace

int main(int argc, char** argv) {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    sigaddset(&signals, signal);
  }
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  // Static: the detached watcher may still look at them while the process ends.
  static taskctl::StopSource stop;
  static taskctl::Streams streams = taskctl::process_streams(&stop);
  std::thread{watch_signals, std::ref(stop), std::ref(streams), signals}.detach();

  static const taskctl::Drivers drivers{.sqlite = taskctl::sqlite_driver(),
                                        .postgres = taskctl::postgres_driver(),
                                        .sightings = taskctl::sqlite_sighting_files()};
  taskctl::App app{taskctl::all_commands(), drivers, streams, stop};
  return app.run({argv + 1, argv + argc});
}
