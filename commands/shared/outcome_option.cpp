#include "commands/shared/outcome_option.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"

namespace taskctl {

void declare_outcome(CLI::App& app, std::optional<Outcome>& outcome) {
  add_parsed(app, "--outcome", "what becomes of the tasks, instead of evidence and the profile's defaults",
             [&outcome](const std::string& text) {
               const std::optional<Outcome> parsed = parse_outcome(text);
               if (!parsed || !is_choice(*parsed)) {
                 throw Error{ExitCode::usage, fmt::format("--outcome: '{}' is not an outcome", text),
                             "Outcomes are succeeded, failed, cancelled, requeued, parked and released."};
               }
               outcome = parsed;
             })
      ->type_name("OUTCOME");
}

void require_outcome(const Profile& profile, const std::optional<Outcome>& outcome) {
  if (!outcome || profile.outcomes.contains(*outcome)) {
    return;
  }
  std::vector<std::string> names;
  for (const auto& [known, operations] : profile.outcomes) {
    names.emplace_back(to_string(known));
  }
  throw Error{
      ExitCode::usage,
      fmt::format("--outcome: profile '{}' says nothing about how a task is {}", profile.name, to_string(*outcome)),
      names.empty() ? "It can repair nothing: it is for reading only."
                    : fmt::format("It has operations for: {}.", join(names, ", "))};
}

}  // namespace taskctl
