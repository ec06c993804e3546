#include "engine/plan_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "base/timestamp.hpp"
#include "engine/applier.hpp"
#include "engine/applier_batch.hpp"
#include "engine/planner_parts.hpp"
#include "model/names.hpp"

namespace taskctl {

namespace {

constexpr const char* k_plan_again = "Make the plan again.";

constexpr auto k_freshness_names = std::to_array<Name<Freshness>>({
    {Freshness::fresh, "fresh"},
    {Freshness::changed, "changed"},
    {Freshness::moved_on, "moved on"},
    {Freshness::refused, "refused"},
    {Freshness::gone, "gone"},
});

Freshness freshness_of(const Refusal& refusal) {
  if (refusal.gone) {
    return Freshness::gone;
  }
  switch (refusal.result) {
    case UnitResult::moved_on:
      return Freshness::moved_on;
    case UnitResult::refused:
      return Freshness::refused;
    default:
      return Freshness::changed;
  }
}

void check_units(TaskStore& store, const Plan& plan, std::size_t begin, std::size_t end, PlanCheck& check) {
  std::vector<PlanUnit> units;
  units.reserve(end - begin);
  for (std::size_t i = begin; i < end; ++i) {
    units.push_back(plan.unit(i));
  }
  BatchWriter reader{store, plan, units, begin, Isolation::together, Locking::none};
  reader.prepare();
  const std::map<std::size_t, Refusal> refusals = reader.check();
  for (std::size_t i = 0; i < units.size(); ++i) {
    const auto refusal = refusals.find(i);
    if (refusal != refusals.end()) {
      check.add(freshness_of(refusal->second), refusal->second.detail);
    } else if (std::ranges::any_of(units[i].depends_on, [&check](std::size_t dependency) {
                 return check.freshness(dependency) != Freshness::fresh;
               })) {
      check.add(Freshness::changed, "a task that it depends on is not fresh");
    } else {
      check.add(Freshness::fresh, {});
    }
  }
}

}  // namespace

std::string_view to_string(Freshness freshness) {
  return name_of(k_freshness_names, freshness);
}

void require_same_target(const Plan& plan, TaskStore& store) {
  const std::string& identity = store.connection().server().identity;
  if (plan.identity != identity) {
    throw Error{ExitCode::stale,
                fmt::format("the plan was made for another database: '{}', and this is '{}'", plan.identity, identity),
                k_plan_again};
  }
  if (plan.profile != store.profile().name) {
    throw Error{
        ExitCode::stale,
        fmt::format("the plan was made with profile '{}', and this is '{}'", plan.profile, store.profile().name),
        fmt::format("Name it with --profile {}, or make the plan again.", plan.profile)};
  }
  if (plan.profile_hash != store.profile().hash) {
    throw Error{ExitCode::stale,
                "the plan was made with another version of profile '" + plan.profile + "', or with other parameters",
                k_plan_again};
  }
  if (plan.schema_fingerprint != store.schema().fingerprint()) {
    throw Error{ExitCode::stale, "the tables were altered since the plan was made", k_plan_again};
  }
}

void require_unapplied(const Plan& plan, Journal& journal) {
  const std::optional<RunRecord> run = journal.run_of_plan(plan.nonce);
  if (!run) {
    return;
  }
  const std::string when = format_instant(std::chrono::floor<std::chrono::seconds>(run->started));
  throw Error{
      ExitCode::stale,
      fmt::format("this plan was already applied by run '{}' ({}@{}, {})", run->id, run->author.user, run->author.host,
                  when),
      fmt::format("`taskctl history show {}` lists what it did; a new plan is made from what is there now.", run->id)};
}

void require_strict_size(std::size_t units) {
  if (units > k_strict_units) {
    throw Error{
        ExitCode::refused,
        fmt::format("--strict writes all tasks in one transaction, and {} are more than {}; nothing was changed", units,
                    k_strict_units),
        "Make smaller plans (--limit, --kind, --queue), or leave --strict out."};
  }
}

void PlanCheck::add(Freshness freshness, const std::string& detail) {
  if (!detail.empty()) {
    m_positions[m_states.size()] = m_details.append(detail);
  }
  m_states.push_back(freshness);
  ++m_counts[freshness];
}

std::string PlanCheck::detail(std::size_t unit) const {
  const auto position = m_positions.find(unit);
  return position == m_positions.end() ? std::string{} : m_details.read(position->second);
}

std::int64_t PlanCheck::count(Freshness freshness) const {
  const auto found = m_counts.find(freshness);
  return found == m_counts.end() ? 0 : found->second;
}

PlanCheck check_plan(TaskStore& store, const Plan& plan) {
  PlanCheck check;
  Transaction transaction{store.connection(), Access::read};
  for (std::size_t begin = 0; begin < plan.size();) {
    const std::size_t end = plan.batch_end(begin, k_planner_chunk);
    check_units(store, plan, begin, end, check);
    begin = end;
  }
  transaction.commit();
  return check;
}

}  // namespace taskctl
