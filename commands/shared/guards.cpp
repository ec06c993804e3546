#include "commands/shared/guards.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "commands/shared/plan_view.hpp"

#include <fmt/format.h>

#include <set>

namespace taskctl {

namespace {

constexpr std::size_t k_default_max_changes = 1000;
/// Tasks that nobody named one by one are ended by a plain "y" up to this number; above it the number is typed.
constexpr std::size_t k_most_unnamed = 10;

/// Hazards of the plan's tasks that were accepted: the question names them.
std::string accepted_hazards(const Plan& plan) {
  std::set<std::string> names;
  plan.for_each([&](std::size_t, const PlanUnit& unit) {
    if (unit.finding) {
      names.insert(unit.finding->hazards.begin(), unit.finding->hazards.end());
    }
  });
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "" : ", ") + name;
  }
  return text;
}

void require_answer(Streams& streams, const std::string& question, const std::string& wanted) {
  const std::optional<std::string> answer = streams.ask(question);
  if (!answer || *answer != wanted) {
    throw Error{ExitCode::refused, fmt::format("not confirmed: '{}' was expected; nothing was changed", wanted)};
  }
}

/// Whether a person is there to be asked; refuses when there is neither one nor --yes, and a protected target that was
/// not named.
bool require_target(Context& context, const Session& session, const ChangeOptions& change, OutputFormat format,
                    const Error& unconfirmed) {
  const Streams::Options& terminal = context.streams().options();
  const bool interactive =
      terminal.in_is_terminal && terminal.err_is_terminal && format != OutputFormat::json && !change.yes;
  const TargetConfig& target = session.config.target;
  if (!interactive && !change.yes) {
    throw unconfirmed;
  }
  if (target.is_protected.value) {
    if (interactive) {
      require_answer(context.streams(), fmt::format("'{}' is protected. Type its name to go on: ", target.name),
                     target.name);
    } else if (change.confirm != target.name) {
      throw Error{ExitCode::refused, fmt::format("target '{}' is protected; nothing was changed", target.name),
                  fmt::format("Add --confirm {} when this is the database that you mean.", target.name)};
    }
  }
  return interactive;
}

void require_yes(Streams& streams, const std::string& question) {
  const std::optional<std::string> answer = streams.ask(question);
  if (!answer || (*answer != "y" && *answer != "Y" && *answer != "yes")) {
    throw Error{ExitCode::refused, "not confirmed; nothing was changed"};
  }
}

}  // namespace

void require_permission(Context& context, const Session& session, const std::string& action,
                        const ChangeOptions& change, OutputFormat format) {
  const Error unconfirmed{
      ExitCode::refused,
      fmt::format("{} would change the database and nobody confirmed it; nothing was changed", action),
      "Look at it with --dry-run, then repeat the command with --yes."};
  if (require_target(context, session, change, format, unconfirmed)) {
    require_yes(context.streams(), fmt::format("{} on {}? [y/N] ", action, session.target_name()));
  }
}

void require_permission(Context& context, const Session& session, const Plan& plan, const ChangeOptions& change,
                        OutputFormat format, bool from_file) {
  Streams& streams = context.streams();
  const TargetConfig& target = session.config.target;
  const std::string tasks = plan_size_text(plan);
  const Error unconfirmed{
      ExitCode::refused,
      fmt::format("{} would change {} and nobody confirmed it; nothing was changed", plan.command, tasks),
      "Look at the plan, then repeat the command with --yes."};
  const bool interactive = require_target(context, session, change, format, unconfirmed);
  const std::size_t usual = from_file ? plan.size() : target.max_changes.value.value_or(k_default_max_changes);
  const std::size_t limit = change.max_changes.value_or(usual);
  if (interactive) {
    const std::string hazards = accepted_hazards(plan);
    const std::string where = session.target_name();
    if (plan.size() > limit || (plan.is_selected && plan.size() > k_most_unnamed)) {
      const std::size_t number = plan.row_count() < plan.size() ? plan.size() - plan.row_count() : plan.size();
      require_answer(streams,
                     fmt::format("{} on {}. Type the number {}to go on: ", tasks, where,
                                 plan.row_count() > 0 && number != plan.size() ? "of tasks " : ""),
                     fmt::to_string(number));
      return;
    }
    require_yes(streams, fmt::format("{}{} {} on {}? [y/N] ", hazards.empty() ? "" : "hazards " + hazards + ": ",
                                     plan.command, tasks, where));
    return;
  }
  if (plan.size() > limit) {
    throw Error{ExitCode::refused,
                fmt::format("the plan has {}, more than --max-changes {}; nothing was changed", tasks, limit),
                fmt::format("Look at it with --dry-run, then: {}",
                            context.argument_text_with("--max-changes", fmt::to_string(plan.size())))};
  }
}

void require_mapped_statuses(const Session& session, const std::string& command,
                             const std::vector<std::string>& unmapped) {
  const bool accepted = session.policy.accepted_hazards.contains(std::string{k_unmapped_hazard});
  if (command == "undo" || unmapped.empty() || accepted) {
    return;
  }
  throw Error{
      ExitCode::mismatch,
      fmt::format("profile '{}' does not map {}; nothing was changed", session.profile.name, join(unmapped, ", ")),
      "Find out what these statuses mean and map them in the profile ([[class]]), or accept that nobody knows with "
      "--accept-hazard unmapped."};
}

}  // namespace taskctl
