#include "commands/shared/outcome_option.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"

namespace taskctl {

namespace {

// All that is_choice() lets pass, in the order in which help names them.
std::vector<std::string> outcome_names() {
  std::vector<std::string> names;
  for (const Outcome outcome : {Outcome::succeeded, Outcome::failed, Outcome::cancelled, Outcome::requeued,
                                Outcome::parked, Outcome::released}) {
    names.emplace_back(to_string(outcome));
  }
  return names;
}

}  // namespace

void declare_outcome(CLI::App& app, std::optional<Outcome>& outcome) {
  declare_rule_outcome(app, "--outcome", "what becomes of the tasks, instead of evidence and the profile's defaults",
                       outcome);
}

void declare_no_evidence(CLI::App& app, bool& no_evidence) {
  app.add_flag("--no-evidence", no_evidence)
      ->description("do not look at how tasks ended (results, logs): only the profile's defaults decide");
}

void declare_rule_outcome(CLI::App& app, const std::string& name, const std::string& description,
                          std::optional<Outcome>& outcome) {
  const std::vector<std::string> choices = outcome_names();
  add_choice(app, name, "outcome", fmt::format("{}: {}", description, join(choices, ", ")), choices,
             [&outcome](const std::string& text) { outcome = parse_outcome(text); })
      ->type_name("OUTCOME");
}

void require_outcome(const Profile& profile, const std::optional<Outcome>& outcome, const std::string& option) {
  if (!outcome || profile.outcomes.contains(*outcome)) {
    return;
  }
  std::vector<std::string> names;
  for (const auto& [known, operations] : profile.outcomes) {
    names.emplace_back(to_string(known));
  }
  throw Error{
      ExitCode::usage,
      fmt::format("{}: profile '{}' says nothing about how a task is {}", option, profile.name, to_string(*outcome)),
      names.empty() ? "It can repair nothing: it is for reading only."
                    : fmt::format("It has operations for: {}.", join(names, ", "))};
}

}  // namespace taskctl
