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
  struct Attempt;
  int dispatch(const std::vector<std::string>& arguments, Attempt& attempt);
  int run_command(const std::vector<std::string>& arguments, Attempt& attempt);
  int print_help(const std::vector<std::string>& topic);
  int print_page(const std::vector<std::string>& names);
  int print_candidates(const std::vector<std::string>& words);
  int end_with_error(Attempt& attempt, int code, const std::string& message, const std::string& hint);
  void note_failure(const Attempt& attempt, int code, const std::string& message);
  int finish(const Attempt& attempt, int code);
  [[nodiscard]] const Command& find_command(const std::string& name) const;

  std::vector<Command> m_commands;
  const Drivers& m_drivers;
  Streams& m_streams;
  StopSource& m_stop;
};

/// CLI11 takes arguments in brackets apart, swallows "++" and lets an empty value or one that begins with '-' become
/// something else. shield() makes such a text pass whole; App::run gives every option and positional back as typed,
/// before validators see it. unshield() of a text that is not shielded is that text.
[[nodiscard]] std::string shield(const std::string& argument);
[[nodiscard]] std::string unshield(const std::string& argument);

}  // namespace taskctl
