#include "cli/complete.hpp"

#include <algorithm>
#include <exception>
#include <map>
#include <set>
#include <utility>

#include "base/text.hpp"
#include "cli/arguments.hpp"
#include "cli/command_facts.hpp"
#include "cli/manual.hpp"
#include "model/finding.hpp"

namespace taskctl {

namespace {

// First sentence part: shells show notes in one narrow column.
std::string short_note(const std::string& description) {
  return description.substr(0, description.find_first_of(":;("));
}

std::vector<Suggestion> command_names(const std::vector<Command>& commands) {
  std::vector<Suggestion> names;
  for (const Command& command : commands) {
    names.push_back({command.name, command.summary});
  }
  return names;
}

/// One command's line, walked word by word.
class Line {
 public:
  Line(const Command& command, const ValueSource& outside)
      : m_command{command}, m_outside{outside}, m_facts{facts_of(command)}, m_options{m_facts.options} {}

  void pass(const std::string& word) {
    if (m_pending != nullptr) {
      note_value(*m_pending, word);
      m_pending = nullptr;
    } else if (m_only_arguments || word.size() < 2 || word.front() != '-') {
      argument(word);
    } else if (word == "--") {
      m_only_arguments = true;
    } else {
      option(word);
    }
  }

  CompletionReply reply(const std::string& word) {
    if (m_pending != nullptr) {
      return values(*m_pending, word, "");
    }
    if (!m_only_arguments && word.starts_with("-")) {
      const std::size_t equals = word.find('=');
      if (equals == std::string::npos) {
        return filtered({.candidates = options()}, word, "");
      }
      const OptionFacts* option = find(word.substr(0, equals));
      return option == nullptr || option->value.empty()
                 ? CompletionReply{}
                 : values(*option, word.substr(equals + 1), word.substr(0, equals + 1));
    }
    return words(word);
  }

 private:
  const OptionFacts* find(const std::string& name) const {
    const auto named = [&](const OptionFacts& one) {
      return std::find(one.names.begin(), one.names.end(), name) != one.names.end();
    };
    const auto found = std::find_if(m_options.begin(), m_options.end(), named);
    return found == m_options.end() ? nullptr : &*found;
  }

  void argument(const std::string& word) {
    const auto named = [&](const CommandFacts& one) { return one.name == word; };
    const auto subcommand = std::find_if(m_facts.subcommands.begin(), m_facts.subcommands.end(), named);
    if (m_only_arguments || subcommand == m_facts.subcommands.end()) {
      ++m_arguments;
      return;
    }
    const CommandFacts leaf = *subcommand;
    m_facts = leaf;
    m_arguments = 0;
    m_options.insert(m_options.begin(), leaf.options.begin(), leaf.options.end());
  }

  void option(const std::string& word) {
    const std::size_t equals = word.find('=');
    const OptionFacts* found = find(word.substr(0, equals));
    if (found == nullptr) {
      return;
    }
    if (!found->repeatable) {
      m_given.insert(found->names.begin(), found->names.end());
    }
    if (!found->value.empty() && equals != std::string::npos) {
      note_value(*found, word.substr(equals + 1));
    } else if (!found->value.empty()) {
      m_pending = found;
    }
  }

  void note_value(const OptionFacts& option, const std::string& value) {
    const std::map<std::string, std::string TargetOptions::*> places{
        {"--db", &TargetOptions::db},
        {"--target", &TargetOptions::target},
        {"--profile", &TargetOptions::profile},
        {"--config", &TargetOptions::config},
        {"--password-file", &TargetOptions::password_file},
        {"--journal-schema", &TargetOptions::journal_schema}};
    if (const auto place = places.find(option.names.back()); place != places.end()) {
      m_target.*place->second = value;
    }
  }

  std::vector<Suggestion> options() const {
    std::vector<Suggestion> names;
    for (const OptionFacts& option : m_options) {
      const bool given = !option.argument() && m_given.count(option.names.back()) > 0;
      for (const std::string& name : option.names) {
        if (!given && name.starts_with("--")) {
          names.push_back({name, short_note(option.description)});
        }
      }
    }
    names.push_back({"--help", "print a summary and stop"});
    return names;
  }

  // A subcommand, the next argument, or, where neither can stand, the options.
  CompletionReply words(const std::string& word) const {
    CompletionReply reply;
    if (!m_only_arguments && m_arguments == 0) {
      for (const CommandFacts& subcommand : m_facts.subcommands) {
        reply.candidates.push_back({subcommand.name, subcommand.summary});
      }
    }
    std::size_t position = 0;
    for (const OptionFacts& option : m_facts.options) {
      if (option.argument() && (position++ == m_arguments || option.repeatable)) {
        CompletionReply more = values(option, word, "");
        reply.paths = more.paths;
        std::move(more.candidates.begin(), more.candidates.end(), std::back_inserter(reply.candidates));
        break;
      }
    }
    const bool nothing_fits = position == 0 && reply.candidates.empty();
    if (nothing_fits && word.empty() && !m_only_arguments) {
      reply.candidates = options();
    }
    return filtered(std::move(reply), word, "");
  }

  CompletionReply values(const OptionFacts& option, const std::string& begun, const std::string& before) const {
    CompletionReply reply;
    for (const std::string& choice : option.choices) {
      reply.candidates.push_back({choice, ""});
    }
    if (!option.choices.empty()) {
      return filtered(std::move(reply), begun, before);
    }
    switch (option.kind) {
      case ValueKind::free:
        break;
      case ValueKind::file:
      case ValueKind::database:
        reply.paths = CompletionReply::Paths::files;
        break;
      case ValueKind::folder:
        reply.paths = CompletionReply::Paths::folders;
        break;
      case ValueKind::hazard:
        // Those of the profile come on top of these; the refusal that asks for one names it.
        for (const std::string_view hazard : k_builtin_hazards) {
          reply.candidates.push_back({std::string{hazard}, ""});
        }
        break;
      case ValueKind::rule:
        for (const Rule rule : k_rules) {
          reply.candidates.push_back({std::string{to_string(rule)}, ""});
        }
        break;
      case ValueKind::profile:
        reply.paths = CompletionReply::Paths::files;
        [[fallthrough]];
      case ValueKind::target:
      case ValueKind::run:
      case ValueKind::task:
      case ValueKind::attribute:
        reply.candidates = m_outside(
            {.kind = option.kind, .value = option.value, .target = m_target, .writes = m_command.category == "repair"});
        break;
    }
    return filtered(std::move(reply), begun, before);
  }

  static CompletionReply filtered(CompletionReply reply, const std::string& begun, const std::string& before) {
    std::erase_if(reply.candidates, [&](const Suggestion& one) { return !one.text.starts_with(begun); });
    for (Suggestion& candidate : reply.candidates) {
      candidate.text.insert(0, before);
    }
    return reply;
  }

  const Command& m_command;
  const ValueSource& m_outside;
  CommandFacts m_facts;                    ///< of the command or subcommand that the line has come to
  std::vector<OptionFacts> m_options;      ///< all that are accepted there
  const OptionFacts* m_pending = nullptr;  ///< waits for its value
  std::size_t m_arguments = 0;
  bool m_only_arguments = false;
  std::set<std::string> m_given;
  TargetOptions m_target;
};

CompletionReply first_word(const std::vector<Command>& commands, const std::string& word) {
  CompletionReply reply{.candidates = command_names(commands)};
  reply.candidates.push_back({"help", "open the manual page of a command"});
  if (word.starts_with("-")) {
    reply.candidates = {{"--help", "list the commands"}, {"--version", "print the version"}};
  }
  std::erase_if(reply.candidates, [&](const Suggestion& one) { return !one.text.starts_with(word); });
  return reply;
}

CompletionReply help_topic(const std::vector<Command>& commands, const std::string& word) {
  CompletionReply reply{.candidates = command_names(commands)};
  for (const std::string& topic : manual_topics()) {
    reply.candidates.push_back({topic, "manual page"});
  }
  std::erase_if(reply.candidates, [&](const Suggestion& one) { return !one.text.starts_with(word); });
  return reply;
}

CompletionReply complete_line(const std::vector<Command>& commands, const std::vector<std::string>& words,
                              const ValueSource& outside) {
  const std::string last = words.empty() ? "" : words.back();
  if (words.size() < 2) {
    return first_word(commands, last);
  }
  if (words.front() == "help") {
    return words.size() == 2 ? help_topic(commands, last) : CompletionReply{};
  }
  const auto command =
      std::find_if(commands.begin(), commands.end(), [&](const Command& one) { return one.name == words.front(); });
  if (command == commands.end()) {
    return {};
  }
  Line line{*command, outside};
  for (std::size_t i = 1; i + 1 < words.size(); ++i) {
    line.pass(words[i]);
  }
  return line.reply(last);
}

}  // namespace

CompletionReply complete(const std::vector<Command>& commands, const std::vector<std::string>& words,
                         const ValueSource& outside) {
  try {
    return complete_line(commands, words, outside);
  } catch (const std::exception&) {
    // The line is being typed: a word that is wrong so far is no error yet.
    return {};
  }
}

std::string reply_text(const CompletionReply& reply) {
  using Paths = CompletionReply::Paths;
  std::string text = reply.paths == Paths::files ? "files\n" : reply.paths == Paths::folders ? "folders\n" : "words\n";
  std::set<std::string> seen;
  for (const Suggestion& candidate : reply.candidates) {
    if (printable(candidate.text) == candidate.text && seen.insert(candidate.text).second) {
      text += candidate.text + "\t" + printable(candidate.note) + "\n";
    }
  }
  return text;
}

}  // namespace taskctl
