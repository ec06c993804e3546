#include "cli/help.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>
#include <utility>

#include "base/exit_code.hpp"
#include "base/text.hpp"
#include "cli/arguments.hpp"

namespace taskctl {

namespace {

constexpr std::size_t k_longest_left = 28;

struct Entry {
  std::string left, right;
};

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

std::string usage_line(CLI::App& app) {
  std::string path = app.get_name();
  std::string positionals;
  for (CLI::App* parent = app.get_parent(); parent != nullptr; parent = parent->get_parent()) {
    path = parent->get_name() + " " + path;
  }
  for (const CLI::Option* option : std::as_const(app).get_options()) {
    if (option->get_positional()) {
      const std::string dots = option->get_items_expected_max() > 1 ? "..." : "";
      positionals += option->get_required() ? fmt::format(" {}{}", option->get_name(true), dots)
                                            : fmt::format(" [{}{}]", option->get_name(true), dots);
    }
  }
  const bool subcommands = !subcommands_of(app).empty();
  const bool needs_one = app.get_require_subcommand_min() > 0;
  return fmt::format("Usage: {} [OPTIONS]{}{}\n", path,
                     subcommands ? (needs_one ? " SUBCOMMAND" : " [SUBCOMMAND]") : "", positionals);
}

Entry option_entry(const CLI::Option& option) {
  if (option.get_positional()) {
    return {option.get_name(true), option.get_description()};
  }
  std::vector<std::string> names;
  for (const std::string& name : option.get_snames()) {
    names.push_back("-" + name);
  }
  for (const std::string& name : option.get_lnames()) {
    names.push_back("--" + name);
  }
  std::string left = join(names, ", ");
  if (option.get_items_expected_max() > 0) {
    left += " " + option.get_type_name();
  }
  return {left, option.get_description()};
}

// Options of the command and, for a subcommand, of the commands that it stands under; groups in order of declaration.
std::vector<std::pair<std::string, std::vector<Entry>>> option_groups(CLI::App& app) {
  std::vector<std::pair<std::string, std::vector<Entry>>> groups;
  const auto group_named = [&groups](const std::string& name) -> std::vector<Entry>& {
    for (auto& [known, entries] : groups) {
      if (known == name) {
        return entries;
      }
    }
    return groups.emplace_back(name, std::vector<Entry>{}).second;
  };
  for (CLI::App* current = &app; current != nullptr; current = current->get_parent()) {
    for (const CLI::Option* option : std::as_const(*current).get_options()) {
      if (!option->get_group().empty()) {
        group_named(option->get_positional() ? "Arguments" : option->get_group()).push_back(option_entry(*option));
      }
    }
  }
  const auto arguments =
      std::find_if(groups.begin(), groups.end(), [](const auto& g) { return g.first == "Arguments"; });
  if (arguments != groups.end()) {
    std::rotate(groups.begin(), arguments, arguments + 1);
  }
  group_named("Options").push_back({"-h, --help", "print this and stop"});
  return groups;
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

std::string command_help(CLI::App& app, std::size_t width) {
  std::string text = usage_line(app) + "\n" + app.get_description() + "\n";
  std::vector<Entry> subcommands;
  for (const CLI::App* subcommand : subcommands_of(app)) {
    subcommands.push_back({subcommand->get_name(), subcommand->get_description()});
  }
  if (!subcommands.empty()) {
    text += "\nSubcommands:\n" + two_columns(subcommands, width);
  }
  for (const auto& [group, entries] : option_groups(app)) {
    text += "\n" + group + ":\n" + two_columns(entries, width);
  }
  return text + exit_codes_text(width);
}

}  // namespace taskctl
