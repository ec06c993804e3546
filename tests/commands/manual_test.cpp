#include "cli/manual.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <set>

#include "base/error.hpp"
#include "base/exit_code.hpp"
#include "cli/arguments.hpp"
#include "cli/command_facts.hpp"
#include "cli/complete.hpp"
#include "cli/help.hpp"
#include "cli/roff.hpp"
#include "cli/variables.hpp"
#include "commands/registry.hpp"

using namespace taskctl;

namespace {

std::vector<Suggestion> nothing(const ValueQuestion&) {
  return {};
}

// Calls `visit` for the command and everything below it, with the words that lead there.
void each_level(const CommandFacts& facts, std::vector<std::string> words,
                const std::function<void(const CommandFacts&, const std::vector<std::string>&)>& visit) {
  visit(facts, words);
  for (const CommandFacts& subcommand : facts.subcommands) {
    std::vector<std::string> deeper = words;
    deeper.push_back(subcommand.name);
    each_level(subcommand, deeper, visit);
  }
}

std::set<std::string> offered(const std::vector<Command>& commands, std::vector<std::string> words,
                              const std::string& begun) {
  words.push_back(begun);
  std::set<std::string> texts;
  for (const Suggestion& candidate : complete(commands, words, nothing).candidates) {
    texts.insert(candidate.text);
  }
  return texts;
}

// What a command line would be refused with; empty when these options are in order.
std::string refusal(const Command& command, const std::vector<std::string>& arguments) {
  const std::unique_ptr<CLI::App> app = empty_app(command);
  const std::function<int(Context&)> runner = command.declare(*app);
  unshield_all(*app);
  try {
    parse_prepared(*app, prepare_arguments(*app, arguments));
  } catch (const Error& error) {
    return error.message() + " | " + error.hint();
  }
  return {};
}

}  // namespace

TEST_CASE("every command has a manual page and every page its command") {
  const std::vector<std::string> pages = manual_page_names();
  std::set<std::string> described;
  for (const Command& command : all_commands()) {
    const std::string page = "taskctl-" + command.name + ".1";
    INFO("write man/" << page << ".md, like the pages beside it, examples first");
    CHECK(std::find(pages.begin(), pages.end(), page) != pages.end());
    described.insert(page);
  }
  for (const std::string& page : pages) {
    if (page != "taskctl.1" && page.ends_with(".1")) {
      INFO("man/" << page << ".md describes no command of commands/registry.cpp: remove or rename it");
      CHECK(described.count(page) == 1);
    }
  }
}

TEST_CASE("pages of commands have their parts and begin with examples") {
  for (const std::string& page : manual_page_names()) {
    const std::string text = manual_page(page, all_commands());
    INFO("man/" << page << ".md");
    std::vector<std::string> sections{".SH NAME\n", ".SH \"EXAMPLES\"\n", ".SH \"DESCRIPTION\"\n"};
    if (page.ends_with(".1")) {
      sections.insert(sections.begin() + 1, ".SH \"SYNOPSIS\"\n");
      sections.insert(sections.end(), {".SH \"EXIT STATUS\"\n", ".SH ENVIRONMENT\n"});
    }
    sections.push_back(".SH \"SEE ALSO\"\n");
    std::size_t at = 0;
    for (const std::string& section : sections) {
      INFO(section << " is missing, or not in this order");
      at = text.find(section, at);
      REQUIRE(at != std::string::npos);
    }
    if (page.ends_with(".1")) {
      for (const ExitCodeInfo& info : k_exit_codes) {
        CHECK(text.find(roff_text(info.meaning)) != std::string::npos);
      }
    }
  }
}

TEST_CASE("help, manual page and completion know every option and subcommand") {
  const std::vector<Command> commands = all_commands();
  for (const Command& command : commands) {
    const std::string page = manual_page("taskctl-" + command.name + ".1", commands);
    CHECK(offered(commands, {}, "").count(command.name) == 1);
    each_level(facts_of(command), {command.name},
               [&](const CommandFacts& facts, const std::vector<std::string>& words) {
                 INFO(facts.path);
                 const std::string help = command_help(facts, 100);
                 const std::set<std::string> options = offered(commands, words, "--");
                 CHECK_FALSE(facts.summary.empty());
                 for (const OptionFacts& option : facts.options) {
                   INFO(option.display());
                   CHECK_FALSE(option.description.empty());
                   CHECK(help.find(option.display()) != std::string::npos);
                   CHECK(page.find(roff_text(option.description)) != std::string::npos);
                   for (const std::string& name : option.names) {
                     CHECK(page.find("\\fB" + roff_code(name) + "\\fR") != std::string::npos);
                     CHECK((!name.starts_with("--") || options.count(name) == 1));
                   }
                 }
                 for (const CommandFacts& subcommand : facts.subcommands) {
                   INFO(subcommand.name);
                   CHECK(help.find("  " + subcommand.name) != std::string::npos);
                   CHECK(page.find(roff_code(subcommand.usage)) != std::string::npos);
                   CHECK(offered(commands, words, "").count(subcommand.name) == 1);
                 }
               });
  }
}

TEST_CASE("every value has a name that completion understands") {
  std::string known;
  for (const std::string& name : value_names()) {
    known += " " + name;
  }
  for (const Command& command : all_commands()) {
    each_level(facts_of(command), {command.name}, [&](const CommandFacts& facts, const std::vector<std::string>&) {
      for (const OptionFacts& option : facts.options) {
        INFO(facts.path << " " << option.display()
                        << ": use add_choice, or a value name of cli/value_kind.cpp:" << known);
        CHECK((option.value.empty() || !option.choices.empty() || value_kind(option.value)));
      }
    });
  }
}

TEST_CASE("choices that are offered are those that are accepted") {
  for (const Command& command : all_commands()) {
    each_level(facts_of(command), {}, [&](const CommandFacts& facts, const std::vector<std::string>& words) {
      for (const OptionFacts& option : facts.options) {
        if (option.argument() || option.value.empty()) {
          continue;
        }
        const auto try_value = [&](const std::string& value) {
          std::vector<std::string> arguments = words;
          arguments.push_back(option.names.back() + "=" + value);
          return refusal(command, arguments);
        };
        INFO(facts.path << " " << option.display() << ": use add_choice, so that completion knows the choices");
        const bool enumerated = try_value("no-such-value").find("Choices are") != std::string::npos;
        CHECK(enumerated == !option.choices.empty());
        for (const std::string& choice : option.choices) {
          INFO(choice);
          CHECK(try_value(choice).find("Choices are") == std::string::npos);
        }
      }
    });
  }
}

TEST_CASE("a topic of help finds its page and an unknown one names what is near") {
  CHECK(find_manual_page("list-stuck") == "taskctl-list-stuck.1");
  CHECK(find_manual_page("profile") == "taskctl-profile.1");
  CHECK(find_manual_page("profile.5") == "taskctl-profile.5");
  CHECK(find_manual_page("profile(5)") == "taskctl-profile.5");
  CHECK(find_manual_page("taskctl-config.5") == "taskctl-config.5");
  CHECK(find_manual_page("taskctl") == "taskctl.1");
  try {
    static_cast<void>(find_manual_page("lst-stuck"));
    FAIL("there is no such page");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::usage);
    CHECK(error.message() == "there is no help about 'lst-stuck'");
    CHECK(error.hint().starts_with("Did you mean 'list-stuck'? Topics are taskctl, "));
  }
  CHECK_THROWS_WITH(find_manual_page("overdue"), Catch::Contains("which is a rule"));
}
