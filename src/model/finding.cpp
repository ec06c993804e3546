#include "model/finding.hpp"

#include "model/names.hpp"

namespace taskctl {

namespace {

constexpr auto k_rule_names = std::to_array<Name<Rule>>({
    {Rule::contradiction, "contradiction"},
    {Rule::result_over, "result-over"},
    {Rule::cancel_requested, "cancel-requested"},
    {Rule::missing_finished_time, "missing-finished-time"},
    {Rule::cancel_overwritten, "cancel-overwritten"},
    {Rule::duplicate_result, "duplicate-result"},
    {Rule::dead, "dead"},
    {Rule::never_assigned, "never-assigned"},
    {Rule::overdue, "overdue"},
    {Rule::waiting, "waiting"},
    {Rule::clock, "clock"},
    {Rule::unreadable, "unreadable"},
    {Rule::attempts_over_limit, "attempts-over-limit"},
    {Rule::started_after_finished, "started-after-finished"},
    {Rule::bulk_finished, "bulk-finished"},
    {Rule::settling, "settling"},
    {Rule::claim_without_task, "claim-without-task"},
    {Rule::active_without_claim, "active-without-claim"},
    {Rule::result_without_task, "result-without-task"},
    {Rule::worker_task_over, "worker-task-over"},
    {Rule::lock_of_ended_task, "lock-of-ended-task"},
    {Rule::request_left_behind, "request-left-behind"},
    {Rule::accounts_wrong, "accounts-wrong"},
});
static_assert(k_rule_names.size() == k_rules.size());

constexpr auto k_certainty_names = std::to_array<Name<Certainty>>({
    {Certainty::certain, "certain"},
    {Certainty::probable, "probable"},
    {Certainty::possible, "possible"},
    {Certainty::none, "none"},
});

constexpr auto k_outcome_names = std::to_array<Name<Outcome>>({
    {Outcome::succeeded, "succeeded"},
    {Outcome::failed, "failed"},
    {Outcome::cancelled, "cancelled"},
    {Outcome::requeued, "requeued"},
    {Outcome::parked, "parked"},
    {Outcome::released, "released"},
    {Outcome::unchanged, "unchanged"},
    {Outcome::undecided, "undecided"},
    {Outcome::corrected, "corrected"},
    {Outcome::removed, "removed"},
});

constexpr auto k_repair_names = std::to_array<Name<Repair>>({
    {Repair::yes, "yes"},
    {Repair::needs_max_age, "needs-max-age"},
    {Repair::needs_outcome, "needs-outcome"},
    {Repair::hazard, "hazard"},
    {Repair::never, "never"},
});

constexpr auto k_liveness_names = std::to_array<Name<Liveness>>({
    {Liveness::alive, "alive"},
    {Liveness::dead, "dead"},
    {Liveness::unknown, "unknown"},
});

}  // namespace

std::string_view to_string(Rule rule) {
  return name_of(k_rule_names, rule);
}

std::optional<Rule> parse_rule(std::string_view text) {
  return value_of(k_rule_names, text);
}

bool is_row_rule(Rule rule) {
  return std::find(k_row_rules.begin(), k_row_rules.end(), rule) != k_row_rules.end();
}

std::string_view to_string(Certainty certainty) {
  return name_of(k_certainty_names, certainty);
}

std::optional<Certainty> parse_certainty(std::string_view text) {
  return value_of(k_certainty_names, text);
}

std::string_view to_string(Outcome outcome) {
  return name_of(k_outcome_names, outcome);
}

std::optional<Outcome> parse_outcome(std::string_view text) {
  return value_of(k_outcome_names, text);
}

std::string_view to_string(Repair repair) {
  return name_of(k_repair_names, repair);
}

std::string_view to_string(Liveness liveness) {
  return name_of(k_liveness_names, liveness);
}

std::string id_of(const Finding& finding) {
  const std::string key = finding.task.key.text();
  return finding.table ? *finding.table + ":" + key : key;
}

std::optional<Duration> age_of(const Finding& finding, Instant now) {
  if (!finding.since) {
    return std::nullopt;
  }
  return now - *finding.since;
}

}  // namespace taskctl
