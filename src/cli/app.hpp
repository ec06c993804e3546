#pragma once

#include <string>
#include <vector>

#include "base/stop.hpp"
#include "cli/command.hpp"
#include "store/open_store.hpp"
#include "view/streams.hpp"

namespace taskctl {

/// Parses the command line, runs the command, and turns every exception into text (or JSON) and an exit code.
/// Nothing is opened before the whole command line is valid.
class App {
 public:
  App(std::vector<Command> commands, const Drivers& drivers, Streams& streams, StopSource& stop);
  /// `arguments` without the program's name. Never throws.
  int run(const std::vector<std::string>& arguments);

 private:
  std::vector<Command> m_commands;
  const Drivers& m_drivers;
  Streams& m_streams;
  StopSource& m_stop;
};

/// Arguments in brackets and "++" are taken apart or swallowed by CLI11; shield() makes them pass whole, unshield()
/// gives the user's text back (options.cpp calls it for every value).
[[nodiscard]] std::string shield(const std::string& argument);
[[nodiscard]] std::string unshield(const std::string& argument);

}  // namespace taskctl
