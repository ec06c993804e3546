#include "cli/command_facts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "cli/arguments.hpp"

namespace taskctl {

namespace {

std::string path_of(CLI::App& app) {
  std::string path = app.get_name();
  for (CLI::App* parent = app.get_parent(); parent != nullptr; parent = parent->get_parent()) {
    path = parent->get_name() + " " + path;
  }
  return path;
}

std::string usage_of(CLI::App& app, const std::vector<OptionFacts>& options) {
  std::string arguments;
  for (const OptionFacts& option : options) {
    if (option.argument()) {
      const std::string dots = option.repeatable ? "..." : "";
      arguments +=
          option.required ? fmt::format(" {}{}", option.value, dots) : fmt::format(" [{}{}]", option.value, dots);
    }
  }
  const bool subcommands = !subcommands_of(app).empty();
  const bool needs_one = app.get_require_subcommand_min() > 0;
  return fmt::format("{} [OPTIONS]{}{}", path_of(app), subcommands ? (needs_one ? " SUBCOMMAND" : " [SUBCOMMAND]") : "",
                     arguments);
}

OptionFacts facts_of(CLI::Option& option) {
  OptionFacts facts{.description = option.get_description(),
                    .group = option.get_positional() ? "Arguments" : option.get_group(),
                    .required = option.get_required(),
                    .repeatable = option.get_items_expected_max() > 1,
                    .choices = choices_of(option)};
  for (const std::string& name : option.get_snames()) {
    facts.names.push_back("-" + name);
  }
  for (const std::string& name : option.get_lnames()) {
    facts.names.push_back("--" + name);
  }
  if (option.get_items_expected_max() > 0) {
    facts.value = value_name(option);
    facts.kind = value_kind(facts.value).value_or(ValueKind::free);
  }
  return facts;
}

std::vector<OptionFacts> own_options(CLI::App& app) {
  std::vector<OptionFacts> options;
  for (CLI::Option* option : app.get_options([](const CLI::Option* one) { return !one->get_group().empty(); })) {
    options.push_back(facts_of(*option));
  }
  return options;
}

CommandFacts own_facts(CLI::App& app) {
  CommandFacts facts{
      .name = app.get_name(), .path = path_of(app), .summary = app.get_description(), .options = own_options(app)};
  facts.usage = usage_of(app, facts.options);
  for (CLI::App* subcommand : subcommands_of(app)) {
    facts.subcommands.push_back(own_facts(*subcommand));
  }
  return facts;
}

}  // namespace

std::string OptionFacts::display() const {
  return argument() ? value : join(names, ", ") + (value.empty() ? "" : " " + value);
}

std::vector<std::pair<std::string, std::vector<OptionFacts>>> CommandFacts::groups() const {
  std::vector<std::pair<std::string, std::vector<OptionFacts>>> groups;
  for (const OptionFacts& option : options) {
    const auto known =
        std::find_if(groups.begin(), groups.end(), [&](const auto& g) { return g.first == option.group; });
    if (known != groups.end()) {
      known->second.push_back(option);
    } else if (option.argument()) {
      groups.insert(groups.begin(), {option.group, {option}});
    } else {
      groups.push_back({option.group, {option}});
    }
  }
  return groups;
}

CommandFacts facts_of(CLI::App& app) {
  CommandFacts facts = own_facts(app);
  for (CLI::App* parent = app.get_parent(); parent != nullptr; parent = parent->get_parent()) {
    for (OptionFacts& option : own_options(*parent)) {
      facts.options.push_back(std::move(option));
    }
  }
  return facts;
}

CommandFacts facts_of(const Command& command) {
  const std::unique_ptr<CLI::App> app = empty_app(command);
  // What is declared refers to the options that the runner holds.
  const std::function<int(Context&)> runner = command.declare(*app);
  return facts_of(*app);
}

std::unique_ptr<CLI::App> empty_app(const Command& command) {
  auto app = std::make_unique<CLI::App>(command.summary, "taskctl " + command.name);
  app->set_help_flag();
  return app;
}

}  // namespace taskctl
