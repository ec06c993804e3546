#include "cli/app.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <exception>
#include <memory>
#include <new>
#include <sstream>
#include <utility>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/process.hpp"
#include "base/text.hpp"
#include "cli/arguments.hpp"
#include "cli/attempts.hpp"
#include "cli/complete.hpp"
#include "cli/context.hpp"
#include "cli/help.hpp"
#include "cli/manual.hpp"
#include "cli/options.hpp"
#include "view/json.hpp"

namespace taskctl {

namespace {

constexpr std::size_t k_help_width = 100;

// The wanted form of errors, also when the command line cannot be parsed.
bool wants_json(const std::vector<std::string>& arguments) {
  const auto is_json = [](const std::string& format) { return format == "json" || format == "jsonl"; };
  for (std::size_t i = 0; i < arguments.size() && arguments[i] != "--"; ++i) {
    const std::string& argument = arguments[i];
    if ((argument == "--output" && i + 1 < arguments.size() && is_json(arguments[i + 1])) ||
        (argument.starts_with("--output=") && is_json(argument.substr(9)))) {
      return true;
    }
  }
  return false;
}

bool is_help_word(const std::string& word) {
  return word == "--help" || word == "-h" || word == "help";
}

void apply_output_options(CLI::App& leaf, Streams& streams) {
  if (const CLI::Option* quiet = find_option(leaf, "--quiet"); quiet != nullptr && quiet->count() > 0) {
    streams.set_quiet(true);
  }
  const CLI::Option* colour = find_option(leaf, "--color");
  if (colour != nullptr && colour->count() > 0) {
    const std::string when = unshield(colour->results().back());
    if (when != "auto") {
      streams.set_colour(when == "always");
    }
  }
}

// Escapes of a user's text must not reach the terminal; the line breaks of a long hint (DDL) may.
std::string printable_lines(const std::string& text) {
  std::istringstream lines{text};
  std::vector<std::string> parts;
  for (std::string line; std::getline(lines, line);) {
    parts.push_back(printable(line));
  }
  return join(parts, "\n");
}

}  // namespace

/// What is known of this invocation when it ends.
struct App::Attempt {
  std::string command;  ///< empty before it is known
  std::vector<std::string> arguments;
  bool json = false;
  bool writes = false;  ///< a repair command, and not a dry run
  bool parsed = false;  ///< the command line is valid
  std::string why{};    ///< the exit code is not 0, where no error says so
};

App::App(std::vector<Command> commands, const Drivers& drivers, Streams& streams, StopSource& stop)
    : m_commands{std::move(commands)}, m_drivers{drivers}, m_streams{streams}, m_stop{stop} {}

int App::run(const std::vector<std::string>& arguments) {
  Attempt attempt{.command = {}, .arguments = arguments, .json = wants_json(arguments)};
  try {
    return finish(attempt, dispatch(arguments, attempt));
  } catch (const Error& error) {
    return end_with_error(attempt, static_cast<int>(error.code()), error.message(), error.hint());
  } catch (const std::bad_alloc&) {
    return end_with_error(attempt, static_cast<int>(ExitCode::bug), "out of memory", {});
  } catch (const std::exception& error) {
    return end_with_error(attempt, static_cast<int>(ExitCode::bug), std::string{"internal error: "} + error.what(),
                          "Please report this together with the command that you typed.");
  } catch (...) {
    return end_with_error(attempt, static_cast<int>(ExitCode::bug), "internal error of unknown kind",
                          "Please report this together with the command that you typed.");
  }
}

int App::dispatch(const std::vector<std::string>& arguments, Attempt& attempt) {
  if (arguments.empty()) {
    m_streams.error(overview_text(m_commands, k_help_width) + "\ntaskctl: a command is missing");
    return static_cast<int>(ExitCode::usage);
  }
  const std::string& first = arguments.front();
  if (is_help_word(first)) {
    return print_help({arguments.begin() + 1, arguments.end()});
  }
  if (first == "--version" || first == "-V") {
    m_streams.line("taskctl " TASKCTL_VERSION);
    return static_cast<int>(ExitCode::ok);
  }
  if (first == "__man") {
    return print_page({arguments.begin() + 1, arguments.end()});
  }
  if (first == "__complete") {
    return print_candidates({arguments.begin() + 1, arguments.end()});
  }
  if (first.starts_with('-')) {
    throw Error{ExitCode::usage, fmt::format("option '{}' stands before the command", first),
                "Options follow the command: taskctl COMMAND [OPTIONS]."};
  }
  attempt.command = find_command(first).name;
  return run_command({arguments.begin() + 1, arguments.end()}, attempt);
}

const Command& App::find_command(const std::string& name) const {
  std::vector<std::string> names;
  for (const Command& command : m_commands) {
    if (command.name == name) {
      return command;
    }
    names.push_back(command.name);
  }
  const std::string near = nearest(name, names);
  throw Error{ExitCode::usage, fmt::format("unknown command '{}'", name),
              (near.empty() ? "" : fmt::format("Did you mean '{}'? ", near)) + "`taskctl --help` lists the commands."};
}

int App::run_command(const std::vector<std::string>& arguments, Attempt& attempt) {
  const Command& command = find_command(attempt.command);
  const std::unique_ptr<CLI::App> declared = empty_app(command);
  CLI::App& app = *declared;
  const std::function<int(Context&)> runner = command.declare(app);
  unshield_all(app);
  const PreparedArguments prepared = prepare_arguments(app, arguments);
  if (prepared.help) {
    m_streams.out(command_help(facts_of(*prepared.leaf), k_help_width));
    return static_cast<int>(ExitCode::ok);
  }
  parse_prepared(app, prepared);
  apply_output_options(*prepared.leaf, m_streams);
  const CLI::Option* dry_run = find_option(*prepared.leaf, "--dry-run");
  attempt.writes = command.category == "repair" && (dry_run == nullptr || dry_run->count() == 0);
  attempt.parsed = true;
  Context context{m_drivers, m_streams, m_stop, attempt.arguments, command.name};
  const int code = runner(context);
  attempt.why = context.why();
  return code;
}

int App::print_help(const std::vector<std::string>& topic) {
  if (topic.empty() || topic.front().starts_with('-')) {
    m_streams.out(overview_text(m_commands, k_help_width));
    return static_cast<int>(ExitCode::ok);
  }
  const auto command =
      std::find_if(m_commands.begin(), m_commands.end(), [&](const Command& one) { return one.name == topic.front(); });
  std::string text;
  std::string page;
  if (command != m_commands.end()) {
    page = "taskctl-" + command->name + ".1";
    const std::unique_ptr<CLI::App> app = empty_app(*command);
    const std::function<int(Context&)> runner = command->declare(*app);
    const PreparedArguments prepared = prepare_arguments(*app, {topic.begin() + 1, topic.end()});
    text = command_help(facts_of(*prepared.leaf), k_help_width);
  } else {
    page = find_manual_page(topic.front());
    text = page == "taskctl.1" ? overview_text(m_commands, k_help_width) : manual_source(page);
  }
  if (m_streams.options().out_is_terminal) {
    // Where there is no man it returns, and the help is printed.
    become_process({"man", "-l", "-"}, manual_page(page, m_commands));
  }
  m_streams.out(text);
  return static_cast<int>(ExitCode::ok);
}

int App::print_page(const std::vector<std::string>& names) {
  for (const std::string& name : names.empty() ? manual_page_names() : names) {
    m_streams.out(names.empty() ? name + "\n" : manual_page(name, m_commands));
  }
  return static_cast<int>(ExitCode::ok);
}

// Whoever completes a line wants words or nothing, never an error in the middle of what they type.
int App::print_candidates(const std::vector<std::string>& words) {
  m_streams.out(reply_text(complete(m_commands, words, outside_values)));
  return static_cast<int>(ExitCode::ok);
}

// An end that a signal brought about is reported as that signal, except that nobody may overlook a commit in doubt.
int App::end_with_error(Attempt& attempt, int code, const std::string& message, const std::string& hint) {
  m_streams.flush();
  if (m_stop.requested() && attempt.parsed && code != static_cast<int>(ExitCode::in_doubt)) {
    code = 128 + m_stop.signal();
  }
  if (attempt.json) {
    m_streams.error(dump(error_json(code, message, hint)));
  } else {
    const std::string name = attempt.command.empty() ? "taskctl" : "taskctl " + attempt.command;
    const bool colour = m_streams.options().colour && m_streams.options().err_is_terminal;
    m_streams.error(styled(name + ":", Style::red, colour) + " " + printable_lines(message));
    if (!hint.empty()) {
      m_streams.error("HINT: " + printable_lines(hint));
    }
  }
  note_failure(attempt, code, message);
  return code;
}

// A run that wrote stands in the journal of the database; an attempt that did not leaves only this trace.
void App::note_failure(const Attempt& attempt, int code, const std::string& message) {
  if (!attempt.writes) {
    return;
  }
  const Context context{m_drivers, m_streams, m_stop, attempt.arguments, attempt.command};
  record_attempt({.command = attempt.command,
                  .arguments = context.argument_text(),
                  .code = code,
                  .message = message,
                  .time = system_clock().now()});
}

int App::finish(const Attempt& attempt, int code) {
  m_streams.flush();
  m_streams.end_progress();
  if (m_stop.requested() && (code == static_cast<int>(ExitCode::stopped) || m_streams.out_lost())) {
    return 128 + m_stop.signal();
  }
  const bool good = code == static_cast<int>(ExitCode::ok) || code == static_cast<int>(ExitCode::findings);
  if (!good && code != static_cast<int>(ExitCode::partial)) {
    note_failure(attempt, code, attempt.why.empty() ? std::string{exit_code_name(code)} : attempt.why);
  }
  if (good && !m_streams.out_problem().empty()) {
    // What was changed stays changed: failed would deny it.
    code = static_cast<int>(attempt.writes ? ExitCode::partial : ExitCode::failed);
    m_streams.error("taskctl: cannot write the result to standard output: " + m_streams.out_problem());
  }
  return code;
}

}  // namespace taskctl
