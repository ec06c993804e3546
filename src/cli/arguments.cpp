#include "cli/arguments.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/app.hpp"
#include "cli/options.hpp"

namespace taskctl {

namespace {

// Random, so that no text of a user can look shielded.
const std::string& shield_mark() {
  static const std::string mark = "\x01" + random_hex(8) + ":";
  return mark;
}

bool takes_value(const CLI::Option& option) {
  return option.get_items_expected_max() > 0;
}

// First long name, as typed.
std::string shown_name(const CLI::Option& option) {
  return option.get_lnames().empty() ? "-" + option.get_snames().front() : "--" + option.get_lnames().front();
}

std::vector<std::string> long_names(CLI::App& app) {
  std::vector<std::string> names{"--help"};
  for (CLI::App* current = &app; current != nullptr; current = current->get_parent()) {
    for (const CLI::Option* option : std::as_const(*current).get_options()) {
      for (const std::string& name : option->get_lnames()) {
        names.push_back("--" + name);
      }
    }
  }
  return names;
}

bool has_positionals(CLI::App& app) {
  for (CLI::App* current = &app; current != nullptr; current = current->get_parent()) {
    for (const CLI::Option* option : std::as_const(*current).get_options()) {
      if (option->get_positional()) {
        return true;
      }
    }
  }
  return false;
}

std::string see_help(CLI::App& app) {
  std::string path = app.get_name();
  for (CLI::App* parent = app.get_parent(); parent != nullptr; parent = parent->get_parent()) {
    path = parent->get_name() + " " + path;
  }
  return fmt::format("`{} --help` lists what it takes.", path);
}

std::string did_you_mean(const std::string& text, const std::vector<std::string>& candidates) {
  const std::string near = nearest(text, candidates);
  return near.empty() ? "" : fmt::format("Did you mean '{}'? ", near);
}

class Preparation {
 public:
  Preparation(CLI::App& command, const std::vector<std::string>& arguments) : m_arguments{arguments} {
    m_result.leaf = &command;
  }

  PreparedArguments run() {
    bool only_positionals = false;
    for (; m_next < m_arguments.size() && !m_result.help; ++m_next) {
      const std::string& argument = m_arguments[m_next];
      if (only_positionals || argument.size() < 2 || argument.front() != '-') {
        word(argument, only_positionals);
      } else if (argument == "--") {
        only_positionals = true;
      } else if (argument[1] == '-') {
        long_option(argument);
      } else {
        short_options(argument);
      }
    }
    return std::move(m_result);
  }

 private:
  void word(const std::string& text, bool only_positionals) {
    CLI::App& app = *m_result.leaf;
    const std::vector<CLI::App*> subcommands = subcommands_of(app);
    const auto named = std::find_if(subcommands.begin(), subcommands.end(),
                                    [&](const CLI::App* one) { return one->get_name() == text; });
    if (!only_positionals && named != subcommands.end()) {
      m_result.leaf = *named;
      m_result.arguments.push_back(text);
      return;
    }
    if (!has_positionals(app)) {
      std::vector<std::string> names;
      for (const CLI::App* subcommand : subcommands) {
        names.push_back(subcommand->get_name());
      }
      if (!names.empty()) {
        throw_unknown_choice("subcommand", text, names);
      }
      throw Error{ExitCode::usage, fmt::format("unexpected argument '{}'", text), see_help(app)};
    }
    m_result.arguments.push_back(shield(text));
  }

  void long_option(const std::string& argument) {
    const std::size_t equals = argument.find('=');
    const std::string name = argument.substr(0, equals);
    if (name == "--help") {
      m_result.help = true;
      return;
    }
    const CLI::Option& option = known(name);
    if (takes_value(option)) {
      with_value(option, equals == std::string::npos ? value_of(name) : argument.substr(equals + 1));
    } else if (equals != std::string::npos) {
      throw Error{ExitCode::usage, fmt::format("option '{}' takes no value", name),
                  "Leave it out to not have its effect."};
    } else {
      m_result.arguments.push_back(name);
    }
  }

  // -q, -qh, -oVALUE
  void short_options(const std::string& argument) {
    for (std::size_t i = 1; i < argument.size(); ++i) {
      const std::string name{'-', argument[i]};
      if (name == "-h") {
        m_result.help = true;
        return;
      }
      const CLI::Option& option = known(name, argument);
      if (takes_value(option)) {
        with_value(option, i + 1 < argument.size() ? argument.substr(i + 1) : value_of(name));
        return;
      }
      m_result.arguments.push_back(name);
    }
  }

  const CLI::Option& known(const std::string& name, const std::string& typed = {}) {
    const CLI::Option* option = find_option(*m_result.leaf, name);
    if (option != nullptr) {
      return *option;
    }
    const std::string& shown = typed.empty() ? name : typed;
    std::string hint = did_you_mean(name, long_names(*m_result.leaf)) + see_help(*m_result.leaf);
    if (has_positionals(*m_result.leaf)) {
      hint += " What begins with '-' and is not an option goes after '--'.";
    }
    throw Error{ExitCode::usage, fmt::format("unknown option '{}'", shown), hint};
  }

  std::string value_of(const std::string& name) {
    if (m_next + 1 == m_arguments.size()) {
      throw Error{ExitCode::usage, fmt::format("option '{}' needs a value", name), see_help(*m_result.leaf)};
    }
    const std::string& value = m_arguments[++m_next];
    const std::string value_name = value.substr(0, value.find('='));
    const bool looks_like_option = value.size() > 1 && value.front() == '-' &&
                                   (value == "-h" || value == "--help" || find_option(*m_result.leaf, value_name));
    if (looks_like_option) {
      throw Error{ExitCode::usage, fmt::format("option '{}' needs a value, and '{}' is an option", name, value),
                  fmt::format("Write '{}={}' when that is the value.", name, value)};
    }
    return value;
  }

  void with_value(const CLI::Option& option, const std::string& value) {
    const std::string name = shown_name(option);
    if (option.get_lnames().empty()) {
      m_result.arguments.push_back(name + shield(value));
    } else {
      m_result.arguments.push_back(name + "=" + shield(value));
    }
  }

  const std::vector<std::string>& m_arguments;
  std::size_t m_next = 0;
  PreparedArguments m_result;
};

// CLI11's sentences in our form: lower case, no full stop.
std::string as_message(std::string text) {
  while (!text.empty() && (text.back() == '.' || text.back() == '\n')) {
    text.pop_back();
  }
  const bool sentence = text.size() > 1 && std::islower(static_cast<unsigned char>(text[1])) != 0;
  if (sentence) {
    text.front() = static_cast<char>(std::tolower(static_cast<unsigned char>(text.front())));
  }
  return text;
}

std::string subcommand_hint(CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* subcommand : subcommands_of(app)) {
    names.push_back(subcommand->get_name());
  }
  return names.empty() ? see_help(app) : fmt::format("Subcommands are {}.", join(names, ", "));
}

}  // namespace

std::string shield(const std::string& argument) {
  const auto plain = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '/' || c == '.'; };
  return !argument.empty() && plain(argument.front()) ? argument : shield_mark() + argument;
}

std::string unshield(const std::string& argument) {
  return argument.starts_with(shield_mark()) ? argument.substr(shield_mark().size()) : argument;
}

std::vector<CLI::App*> subcommands_of(CLI::App& app) {
  return app.get_subcommands([](CLI::App* subcommand) { return !subcommand->get_name().empty(); });
}

CLI::Option* find_option(CLI::App& app, const std::string& name) {
  for (CLI::App* current = &app; current != nullptr; current = current->get_parent()) {
    CLI::Option* option = current->get_option_no_throw(name);
    if (option != nullptr && !option->get_positional()) {
      return option;
    }
  }
  return nullptr;
}

PreparedArguments prepare_arguments(CLI::App& command, const std::vector<std::string>& arguments) {
  return Preparation{command, arguments}.run();
}

void unshield_all(CLI::App& app) {
  for (CLI::Option* option : app.get_options([](const CLI::Option* one) { return takes_value(*one); })) {
    option->transform(unshield);
  }
  for (CLI::App* subcommand : subcommands_of(app)) {
    unshield_all(*subcommand);
  }
}

void parse_prepared(CLI::App& command, const PreparedArguments& prepared) {
  std::vector<std::string> reversed{prepared.arguments.rbegin(), prepared.arguments.rend()};
  try {
    command.parse(std::move(reversed));
  } catch (const CLI::ExtrasError&) {
    std::vector<std::string> words;
    for (const std::string& word : command.remaining(true)) {
      words.push_back("'" + unshield(word) + "'");
    }
    throw Error{ExitCode::usage, fmt::format("unexpected argument {}", join(words, ", ")), see_help(*prepared.leaf)};
  } catch (const CLI::RequiredError& error) {
    throw Error{ExitCode::usage, as_message(error.what()), subcommand_hint(*prepared.leaf)};
  } catch (const CLI::ParseError& error) {
    throw Error{ExitCode::usage, as_message(error.what()), see_help(*prepared.leaf)};
  }
}

}  // namespace taskctl
