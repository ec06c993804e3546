#include "cli/manual.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <sstream>
#include <utility>

#include "base/error.hpp"
#include "base/exit_code.hpp"
#include "base/text.hpp"
#include "cli/command_facts.hpp"
#include "cli/roff.hpp"
#include "cli/variables.hpp"
#include "man/manual_sources.hpp"
#include "man/profile_format.hpp"
#include "model/finding.hpp"

namespace taskctl {

namespace {

/// Summaries of the pages that describe no command.
constexpr auto k_other_pages = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"taskctl.1", "find and repair task rows that lie: running tasks that do not run"},
    {"taskctl-config.5", "targets and settings of taskctl"},
    {"taskctl-profile.5", "how a task table is read and repaired by taskctl"},
});

std::pair<std::string, std::string> name_and_section(const std::string& page) {
  const std::size_t dot = page.rfind('.');
  return {page.substr(0, dot), page.substr(dot + 1)};
}

std::string term(const std::string& head, std::string_view text) {
  return ".TP\n" + head + "\n" + roff_text(text) + "\n";
}

std::string bold(std::string_view text) {
  return "\\fB" + roff_code(text) + "\\fR";
}

std::string head_of(const OptionFacts& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.names) {
    names.push_back(bold(name));
  }
  const std::string value = option.value.empty() ? "" : "\\fI" + roff_code(option.value) + "\\fR";
  return option.argument() ? value : join(names, ", ") + (value.empty() ? "" : " " + value);
}

std::string option_list(const std::vector<OptionFacts>& options) {
  std::string text;
  for (const OptionFacts& option : options) {
    text += term(head_of(option), option.description);
  }
  return text;
}

/// Fills the marks of one page.
class Filler {
 public:
  Filler(std::string page, const std::vector<Command>& commands) : m_page{std::move(page)}, m_commands{commands} {
    for (const Command& command : commands) {
      if ("taskctl-" + command.name + ".1" == m_page) {
        m_facts = facts_of(command);
        m_summary = command.summary;
      }
    }
    for (const auto& [name, summary] : k_other_pages) {
      if (name == m_page) {
        m_summary = summary;
      }
    }
    if (m_summary.empty()) {
      throw Error{ExitCode::bug, fmt::format("man/{}.md describes no command", m_page)};
    }
  }

  [[nodiscard]] std::string head() const {
    const auto [name, section] = name_and_section(m_page);
    std::string title = name;
    std::transform(title.begin(), title.end(), title.begin(), [](unsigned char c) { return std::toupper(c); });
    std::string summary = m_summary;
    summary.front() = static_cast<char>(std::tolower(static_cast<unsigned char>(summary.front())));
    return fmt::format(".TH \"{}\" {} \"{}\" \"taskctl {}\" \"taskctl manual\"\n.SH NAME\n{} \\- {}\n",
                       roff_code(title), section, TASKCTL_DATE, TASKCTL_VERSION, roff_code(name), roff_text(summary));
  }

  [[nodiscard]] std::string fill(const std::string& mark) const {
    if (mark == "SYNOPSIS") {
      return synopsis();
    }
    if (mark == "OPTIONS") {
      return options();
    }
    if (mark == "COMMANDS") {
      return command_list();
    }
    if (mark == "EXIT_STATUS") {
      return exit_codes();
    }
    if (mark == "ENVIRONMENT") {
      return variables();
    }
    if (mark == "PROFILE_REFERENCE") {
      return profile_reference();
    }
    if (mark == "SEE_ALSO") {
      return other_pages();
    }
    throw Error{ExitCode::bug, fmt::format("man/{}.md asks for @{}@, which does not exist", m_page, mark)};
  }

 private:
  [[nodiscard]] std::string synopsis() const {
    if (m_facts.path.empty()) {
      return bold("taskctl") + " \\fICOMMAND\\fR [\\fIOPTIONS\\fR]\n";
    }
    std::string text = bold(m_facts.usage) + "\n";
    for (const CommandFacts& subcommand : m_facts.subcommands) {
      text += ".br\n" + bold(subcommand.usage) + "\n";
    }
    return text;
  }

  [[nodiscard]] std::string options() const {
    std::string text = ".SH OPTIONS\n";
    for (const auto& [group, options] : m_facts.groups()) {
      text += fmt::format(".SS \"{}\"\n", roff_text(group)) + option_list(options);
    }
    text += ".SS \"Help\"\n" + term(bold("-h") + ", " + bold("--help"), "print a summary and stop");
    if (m_facts.subcommands.empty()) {
      return text;
    }
    text += ".SH SUBCOMMANDS\nEach takes the options above, too.\n";
    for (const CommandFacts& subcommand : m_facts.subcommands) {
      text += term(bold(subcommand.name), subcommand.summary);
      if (!subcommand.options.empty()) {
        text += ".RS\n" + option_list(subcommand.options) + ".RE\n";
      }
    }
    return text;
  }

  [[nodiscard]] std::string command_list() const {
    std::string text;
    for (const Command& command : m_commands) {
      text += term("\\fBtaskctl\\-" + roff_code(command.name) + "\\fR(1)", command.summary);
    }
    return text;
  }

  static std::string exit_codes() {
    std::string text = ".SH \"EXIT STATUS\"\n";
    for (const ExitCodeInfo& info : k_exit_codes) {
      text += term(fmt::format("\\fB{}\\fR {}", static_cast<int>(info.code), roff_text(info.name)), info.meaning);
    }
    return text + term("\\fB128+\\fIn\\fR signal", "ended by signal n; what had been done until then is durable");
  }

  // A page of a command that opens no database does not name what leads to one.
  [[nodiscard]] std::string variables() const {
    const bool opens = m_facts.path.empty() ||
                       std::any_of(m_facts.options.begin(), m_facts.options.end(),
                                   [](const OptionFacts& option) { return option.kind == ValueKind::database; });
    std::string text = ".SH ENVIRONMENT\n";
    for (const VariableInfo& variable : k_variables) {
      if (opens || !variable.target) {
        text += term(bold(variable.name), variable.meaning);
      }
    }
    return text;
  }

  // docs/profiles.md is the one description of the format.
  static std::string profile_reference() {
    const std::string_view text = k_profile_format.front().text;
    const std::size_t begin = text.find("\n## Reference\n");
    const std::size_t end = text.find("\n## ", begin + 1);
    if (begin == std::string_view::npos) {
      throw Error{ExitCode::bug, "docs/profiles.md has no section '## Reference'"};
    }
    return roff_of_markdown(text.substr(begin + 1, end - begin), {});
  }

  [[nodiscard]] std::string other_pages() const {
    std::vector<std::string> pages;
    for (const std::string& page : manual_page_names()) {
      if (page != m_page) {
        const auto [name, section] = name_and_section(page);
        pages.push_back(fmt::format(".BR {} ({})", roff_code(name), section));
      }
    }
    return ".SH \"SEE ALSO\"\n" + join(pages, ",\n") + "\n";
  }

  std::string m_page;
  const std::vector<Command>& m_commands;
  CommandFacts m_facts;
  std::string m_summary;
};

}  // namespace

std::vector<std::string> manual_page_names() {
  std::vector<std::string> names;
  for (const ManualSource& source : k_manual_sources) {
    names.emplace_back(source.name);
  }
  return names;
}

std::vector<std::string> manual_topics() {
  std::vector<std::string> topics{"taskctl"};
  for (const std::string& page : manual_page_names()) {
    const auto [name, section] = name_and_section(page);
    if (name != "taskctl") {
      const std::string topic = name.substr(name.find('-') + 1);
      topics.push_back(section == "1" ? topic : topic + "." + section);
    }
  }
  return topics;
}

std::string manual_page(const std::string& name, const std::vector<Command>& commands) {
  for (const ManualSource& source : k_manual_sources) {
    if (source.name == name) {
      const Filler filler{name, commands};
      return filler.head() + roff_of_markdown(source.text, [&](const std::string& mark) { return filler.fill(mark); });
    }
  }
  throw Error{ExitCode::usage, fmt::format("there is no manual page '{}'", name),
              fmt::format("Pages are {}.", join(manual_page_names(), ", "))};
}

std::string find_manual_page(const std::string& topic) {
  // "profile(5)" and "taskctl-profile.5" mean the same as "profile.5".
  std::string word = topic;
  if (word.ends_with(')') && word.find('(') != std::string::npos) {
    word.pop_back();
    word.replace(word.find('('), 1, ".");
  }
  if (word.starts_with("taskctl-")) {
    word.erase(0, 8);
  }
  const std::vector<std::string> pages = manual_page_names();
  for (const std::string& page : {"taskctl-" + word, "taskctl-" + word + ".1", word + ".1", word}) {
    if (std::find(pages.begin(), pages.end(), page) != pages.end()) {
      return page;
    }
  }
  if (parse_rule(word)) {
    throw Error{ExitCode::usage, fmt::format("there is no help about '{}', which is a rule", word),
                fmt::format("`taskctl explain {}` explains it.", word)};
  }
  const std::string near = nearest(word, manual_topics());
  throw Error{ExitCode::usage, fmt::format("there is no help about '{}'", word),
              (near.empty() ? "" : fmt::format("Did you mean '{}'? ", near)) +
                  fmt::format("Topics are {}.", join(manual_topics(), ", "))};
}

std::string manual_source(const std::string& name) {
  std::string text;
  for (const ManualSource& source : k_manual_sources) {
    if (source.name != name) {
      continue;
    }
    std::istringstream lines{std::string{source.text}};
    for (std::string line; std::getline(lines, line);) {
      text += line.starts_with("<!--") || line.starts_with('@') ? "" : line + "\n";
    }
  }
  return text;
}

}  // namespace taskctl
