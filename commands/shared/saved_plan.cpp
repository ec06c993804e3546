#include "commands/shared/saved_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/duration.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "base/timestamp.hpp"
#include "commands/shared/plan_view.hpp"
#include "engine/plan_check.hpp"
#include "profile/profile_reader.hpp"

namespace taskctl {

namespace {

std::string to_seconds(Instant at) {
  return format_instant(std::chrono::floor<std::chrono::seconds>(at));
}

/// Where a plan was made with a profile of ours, nobody has to name it, and another one is not guessed.
void choose_profile_of(const Plan& plan, TargetOptions& target) {
  if (!target.profile.empty()) {
    return;
  }
  const std::vector<std::string> ours = builtin_profile_names();
  if (std::ranges::find(ours, plan.profile) == ours.end()) {
    return;
  }
  const std::vector<Profile> variants = find_profiles(plan.profile);
  if (std::ranges::find(variants, plan.profile_hash, &Profile::hash) != variants.end()) {
    target.profile = plan.profile;
  }
}

/// A SQLite file keeps its path, device and inode when another content is copied into it.
void require_same_journal(const PlanFileInfo& info, Session& session) {
  if (!info.journal.empty() && session.journal->uuid() != info.journal) {
    throw Error{ExitCode::stale, "the plan was made for another database: the journal in this file is another one",
                "Make the plan again."};
  }
}

}  // namespace

PlanFileInfo save_plan(Context& context, Session& session, const Plan& plan, const PlanOptions& options) {
  PlanFileInfo info;
  info.written_by = TASKCTL_VERSION;
  info.target = redact(session.target_name());
  if (session.connection->engine() == Engine::sqlite) {
    info.journal = session.journal->uuid();
  }
  info.created = context.clock().now();
  info.expires = info.created + options.expires.value_or(k_plan_lifetime);
  write_plan_file(options.save, plan, info, &context.stop());
  return info;
}

std::string saved_text(const Plan& plan, const PlanFileInfo& info, const std::string& path,
                       const TargetOptions& target) {
  return fmt::format("saved to {}: {}, good until {}; apply it with: taskctl {}{} --plan {} --yes", printable(path),
                     plan_size_text(plan), to_seconds(info.expires), plan.command, target.words(),
                     shell_quoted(redact(path)));
}

std::unique_ptr<Session> open_for_plan(Context& context, TargetOptions target, const SavedPlan& saved,
                                       bool command_writes) {
  const Plan& plan = saved.plan;
  choose_profile_of(plan, target);
  if (plan.policy.accepted_hazards.contains("rls")) {
    target.accept_hazards.emplace_back("rls");
  }
  if (command_writes && plan.given_now) {
    target.now = format_instant(*plan.given_now);
  }
  std::unique_ptr<Session> session = context.open(target, nullptr, Access::read, command_writes);
  require_same_target(plan, *session->store);
  require_same_journal(saved.info, *session);
  return session;
}

OpenPlan open_saved_plan(Context& context, const std::string& command, const PlanOptions& options,
                         const TargetOptions& target, bool resumes) {
  OpenPlan open{.saved = read_plan_file(options.file, &context.stop()), .session = nullptr};
  const Plan& plan = open.saved.plan;
  if (plan.command != command) {
    throw Error{ExitCode::usage, fmt::format("'{}' is a plan of {}", options.file, printable(plan.command)),
                fmt::format("Apply it with `taskctl {} --plan {}`.", printable(plan.command), options.file)};
  }
  require_unexpired(open.saved.info, context.clock().now());
  open.session = open_for_plan(context, target, open.saved, true);
  if (!resumes) {
    require_unapplied(plan, *open.session->journal);
  }
  context.streams().talk(fmt::format("plan {}: made at {} by taskctl {}, good until {}", printable(options.file),
                                     to_seconds(open.saved.info.created), printable(open.saved.info.written_by),
                                     to_seconds(open.saved.info.expires)));
  return open;
}

}  // namespace taskctl
