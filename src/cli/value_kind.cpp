#include "cli/value_kind.hpp"

#include <algorithm>
#include <array>
#include <sstream>
#include <utility>

#include "base/text.hpp"

namespace taskctl {

namespace {

constexpr auto k_value_names = std::to_array<std::pair<std::string_view, ValueKind>>({
    {"AGE", ValueKind::free},
    {"COLUMN", ValueKind::free},
    {"COLUMN=FORMAT", ValueKind::free},
    {"COMMAND|FILE", ValueKind::file},
    {"DIR", ValueKind::folder},
    {"DURATION", ValueKind::free},
    {"FILE", ValueKind::file},
    {"HAZARD", ValueKind::hazard},
    {"ID", ValueKind::task},
    {"KIND", ValueKind::attribute},
    {"N", ValueKind::free},
    {"NAME", ValueKind::free},
    {"NEW", ValueKind::file},
    {"PATH|URL", ValueKind::database},
    {"PROFILE", ValueKind::profile},
    {"QUEUE", ValueKind::attribute},
    {"RULE", ValueKind::rule},
    {"RUN", ValueKind::run},
    {"STATUS", ValueKind::attribute},
    {"TABLE", ValueKind::free},
    {"VALUE", ValueKind::free},
    {"ZONE", ValueKind::free},
    {"TARGET", ValueKind::target},
    {"TEXT", ValueKind::free},
    {"TIME", ValueKind::free},
    {"USER", ValueKind::attribute},
    {"WORKER", ValueKind::attribute},
});

constexpr std::string_view k_choices_mark = "choices:";

}  // namespace

std::optional<ValueKind> value_kind(std::string_view name) {
  const auto* const found =
      std::find_if(k_value_names.begin(), k_value_names.end(), [&](const auto& entry) { return entry.first == name; });
  return found == k_value_names.end() ? std::nullopt : std::optional{found->second};
}

std::vector<std::string> value_names() {
  std::vector<std::string> names;
  for (const auto& [name, kind] : k_value_names) {
    names.emplace_back(name);
  }
  return names;
}

// CLI11 has no place for facts about an option; the name of a validator that is switched off is one.
CLI::Option* set_choices(CLI::Option* option, const std::vector<std::string>& choices) {
  CLI::Validator note;
  note.name(std::string{k_choices_mark} + join(choices, ",")).active(false);
  return option->check(note);
}

std::vector<std::string> choices_of(CLI::Option& option) {
  std::vector<std::string> choices;
  try {
    for (int i = 0;; ++i) {
      const std::string name = option.get_validator(i)->get_name();
      if (name.starts_with(k_choices_mark)) {
        std::istringstream list{name.substr(k_choices_mark.size())};
        for (std::string choice; std::getline(list, choice, ',');) {
          choices.push_back(choice);
        }
      }
    }
  } catch (const CLI::OptionNotFound&) {
    // The only way in which CLI11 2.1 tells that there are no more.
    return choices;
  }
}

std::string value_name(const CLI::Option& option) {
  return option.get_positional() ? option.get_name(true) : option.get_type_name();
}

}  // namespace taskctl
