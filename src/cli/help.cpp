#include "cli/help.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "base/exit_code.hpp"
#include "base/text.hpp"

namespace taskctl {

namespace {

constexpr std::size_t k_longest_left = 28;

struct Entry {
  std::string left, right;
};

const Entry k_help_entry{"-h, --help", "print this and stop"};

// Two columns; a left side that is too wide gets a line of its own.
std::string two_columns(const std::vector<Entry>& entries, std::size_t width) {
  std::size_t left = 0;
  for (const Entry& entry : entries) {
    left = std::max(left, std::min(display_width(entry.left), k_longest_left));
  }
  const std::string indent(left + 4, ' ');
  std::string text;
  for (const Entry& entry : entries) {
    std::string line = "  " + entry.left;
    const std::size_t used = display_width(entry.left);
    if (used > left) {
      text += line + "\n";
      line = indent;
    } else {
      line.append(left - used + 2, ' ');
    }
    std::istringstream words{entry.right};
    bool first = true;
    for (std::string word; words >> word; first = false) {
      if (!first && display_width(line) + 1 + display_width(word) > width) {
        text += line + "\n";
        line = indent + word;
        continue;
      }
      line += (first ? "" : " ") + word;
    }
    text += line.erase(line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

std::string exit_codes_text(std::size_t width) {
  std::vector<Entry> entries;
  for (const ExitCodeInfo& info : k_exit_codes) {
    entries.push_back({fmt::format("{:>3} {}", static_cast<int>(info.code), info.name), std::string{info.meaning}});
  }
  entries.push_back({"128+N", "ended by signal N; what had been done until then is durable"});
  return "\nExit codes:\n" + two_columns(entries, width);
}

}  // namespace

std::string overview_text(const std::vector<Command>& commands, std::size_t width) {
  std::string text =
      "taskctl finds and repairs task rows that lie: running tasks that do not run.\n\n"
      "Usage: taskctl COMMAND [OPTIONS]\n";
  std::vector<std::string> categories;
  for (const Command& command : commands) {
    if (std::find(categories.begin(), categories.end(), command.category) == categories.end()) {
      categories.push_back(command.category);
    }
  }
  for (const std::string& category : categories) {
    std::vector<Entry> entries;
    for (const Command& command : commands) {
      if (command.category == category) {
        entries.push_back({command.name, command.summary});
      }
    }
    std::string title = category;
    title.front() =
        static_cast<char>(title.front() >= 'a' && title.front() <= 'z' ? title.front() - 'a' + 'A' : title.front());
    text += "\n" + title + ":\n" + two_columns(entries, width);
  }
  text += "\nOptions:\n" +
          two_columns({{"-h, --help", "print this and stop"}, {"--version", "print the version and stop"}}, width);
  return text + "\n`taskctl COMMAND --help` or `taskctl help COMMAND` describes one command and the exit codes.\n";
}

std::string command_help(const CommandFacts& facts, std::size_t width) {
  std::string text = "Usage: " + facts.usage + "\n\n" + facts.summary + "\n";
  std::vector<Entry> subcommands;
  for (const CommandFacts& subcommand : facts.subcommands) {
    subcommands.push_back({subcommand.name, subcommand.summary});
  }
  if (!subcommands.empty()) {
    text += "\nSubcommands:\n" + two_columns(subcommands, width);
  }
  bool help_listed = false;
  for (const auto& [group, options] : facts.groups()) {
    std::vector<Entry> entries;
    for (const OptionFacts& option : options) {
      entries.push_back({option.display(), option.description});
    }
    if (group == "Options") {
      entries.push_back(k_help_entry);
      help_listed = true;
    }
    text += "\n" + group + ":\n" + two_columns(entries, width);
  }
  if (!help_listed) {
    text += "\nOptions:\n" + two_columns({k_help_entry}, width);
  }
  return text + exit_codes_text(width);
}

}  // namespace taskctl
