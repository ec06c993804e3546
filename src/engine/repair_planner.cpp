#include "engine/repair_planner.hpp"

#include <algorithm>
#include <set>

#include "engine/finding_codec.hpp"
#include "engine/lister.hpp"
#include "engine/odd_rows.hpp"
#include "engine/row_rules.hpp"

namespace taskctl {

namespace {

/// Operations of the finding's rule where the profile has some, else those of its outcome.
const OperationList* repair_operations(const Profile& profile, const Finding& finding, std::string& detail) {
  const OperationList* by_outcome = operations_for(profile, finding, detail);
  const auto by_rule = profile.rule_operations.find(finding.rule);
  if (by_rule != profile.rule_operations.end() && profile.safety == Safety::full) {
    return &by_rule->second;
  }
  if (finding.rule == Rule::duplicate_result || is_odd_row(finding.rule)) {  // the task itself stays as it is
    detail =
        "profile '" + profile.name + "' has no operations for the rule '" + std::string{to_string(finding.rule)} + "'";
    return nullptr;
  }
  return by_outcome;
}

/// Why plain reconcile leaves a finding alone; nullopt: it does not.
std::optional<LeftOut> left_alone(const Finding& finding, const Profile& profile, const Policy& policy) {
  const auto because = [&finding](LeftOut::Why why, std::string detail) {
    return LeftOut{.task = id_of(finding), .why = why, .detail = std::move(detail), .finding = finding};
  };
  switch (finding.repair) {
    case Repair::yes:
      return std::nullopt;
    case Repair::needs_max_age:
      return because(LeftOut::Why::needs_max_age,
                     "only possible: " + (finding.note.empty() ? "" : finding.note + "; ") + "--max-age includes it");
    case Repair::needs_outcome:
      return because(LeftOut::Why::undecided,
                     finding.note.empty() ? "nothing says how it ended: --outcome includes it" : finding.note);
    case Repair::hazard:
      return because(LeftOut::Why::hazard, open_hazards(finding.hazards, profile, policy));
    case Repair::never:
      break;
  }
  std::string detail;
  if (!finding.table && finding.certainty != Certainty::none &&
      repair_operations(profile, finding, detail) == nullptr) {
    return because(LeftOut::Why::not_repairable, detail);
  }
  return because(LeftOut::Why::reported_only, finding.note.empty() ? "shown, never repaired" : finding.note);
}

}  // namespace

void RepairPlanner::add(const Finding& finding) {
  // Rows beside the tasks are worked out again: what they follow from has changed since.
  if (m_applied != nullptr && !finding.table && m_applied->contains(id_of(finding))) {
    m_plan.leave_out({.task = id_of(finding),
                      .why = LeftOut::Why::applied_before,
                      .detail = "this run has changed it already, and it is wrong again",
                      .finding = finding});
    return;
  }
  if (std::optional<LeftOut> left = left_alone(finding, m_store.profile(), m_plan.policy)) {
    m_plan.leave_out(std::move(*left));
    return;
  }
  if (finding.table && rule_of(m_store.profile(), finding).derived) {
    m_derived.want(finding);
    return;
  }
  std::string detail;
  if (!finding.table && repair_operations(m_store.profile(), finding, detail) == nullptr) {
    m_plan.leave_out(
        {.task = finding.task.key.text(), .why = LeftOut::Why::not_repairable, .detail = detail, .finding = finding});
    return;
  }
  m_found.push_back({sort_time(finding), m_findings.append(encode_item({finding, false}))});
}

void RepairPlanner::finish(const std::optional<std::size_t>& limit) {
  // Without a time of its own a finding comes last; ties keep the order in which they were read.
  std::stable_sort(m_found.begin(), m_found.end(), [](const Found& a, const Found& b) { return a.since < b.since; });
  const std::size_t wanted = std::min(m_found.size(), limit.value_or(m_found.size()));
  const std::size_t chunk = has_derived_rows(m_store.profile()) ? derived_chunk(wanted) : k_planner_chunk;
  for (std::size_t begin = 0; begin < wanted; begin += chunk) {
    append_chunk(begin, std::min(wanted, begin + chunk));
  }
  m_derived.finish();
  for (std::size_t i = wanted; i < m_found.size(); ++i) {
    leave_over_limit(m_found[i]);
  }
  m_plan.remaining = static_cast<std::int64_t>(m_found.size() - wanted);
}

Finding RepairPlanner::read(const Found& found) const {
  return decode_item(m_findings.read(found.position)).finding;
}

void RepairPlanner::append_chunk(std::size_t begin, std::size_t end) {
  const Profile& profile = m_store.profile();
  std::vector<Candidate> candidates;
  std::vector<Finding> rows;
  candidates.reserve(end - begin);
  for (std::size_t i = begin; i < end; ++i) {
    Finding finding = read(m_found[i]);
    if (finding.table) {
      rows.push_back(std::move(finding));
      continue;
    }
    std::string detail;
    const OperationList* operations = repair_operations(profile, finding, detail);
    std::string reason = reason_for(finding, profile, m_plan.reason, m_plan.now);
    candidates.push_back({.finding = std::move(finding), .reason = std::move(reason), .operations = operations});
  }
  append_units(m_plan, m_store, candidates);
  append_row_units(m_plan, m_store, rows);
  m_derived.follow();
}

void RepairPlanner::leave_over_limit(const Found& found) {
  if (m_plan.left_out.size() >= Plan::k_left_out_kept) {
    ++m_plan.left_out_counts[LeftOut::Why::over_limit];
    return;
  }
  Finding finding = read(found);
  std::string task = id_of(finding);
  m_plan.leave_out({.task = std::move(task),
                    .why = LeftOut::Why::over_limit,
                    .detail = "beyond --limit",
                    .finding = std::move(finding)});
}

void leave_out_settled(Plan& again, const std::vector<std::string>& tasks) {
  std::set<std::string> seen;
  again.for_each([&seen](std::size_t, const PlanUnit& unit) { seen.insert(unit.task); });
  for (const LeftOut& left : again.left_out) {
    seen.insert(left.task);
  }
  for (const std::string& task : tasks) {
    if (seen.count(task) == 0) {
      again.leave_out({.task = task,
                       .why = LeftOut::Why::nothing_to_do,
                       .detail = again.command == "cancel" ? "is over, or no longer selected" : "is no longer wrong",
                       .finding = {}});
    }
  }
}

}  // namespace taskctl
