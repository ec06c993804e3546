#include "engine/planner.hpp"

#include <algorithm>
#include <set>

#include "engine/odd_rows.hpp"
#include "engine/planner_parts.hpp"
#include "engine/row_planner.hpp"
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

/// Collects repairable findings, flat in memory, and turns them into units, the longest stuck first.
class ReconcilePlanner {
 public:
  ReconcilePlanner(TaskStore& store, Plan& plan) : m_store{store}, m_plan{plan}, m_derived{store, plan} {}

  void add(const Listing& listing) {
    listing.for_each([this](const ListItem& item) {
      if (!item.fine) {
        add_finding(item.finding);
      }
    });
  }

  void finish(const std::optional<std::size_t>& limit) {
    // Without a time of its own a finding comes last; ties keep the order in which they were read.
    std::stable_sort(m_found.begin(), m_found.end(), [](const Found& a, const Found& b) { return a.since < b.since; });
    const std::size_t wanted = std::min(m_found.size(), limit.value_or(m_found.size()));
    const std::size_t chunk = has_derived_rows(m_store.profile()) ? k_derived_chunk : k_planner_chunk;
    for (std::size_t begin = 0; begin < wanted; begin += chunk) {
      append_chunk(begin, std::min(wanted, begin + chunk));
    }
    m_derived.finish();
    for (std::size_t i = wanted; i < m_found.size(); ++i) {
      leave_over_limit(m_found[i]);
    }
    m_plan.remaining = static_cast<std::int64_t>(m_found.size() - wanted);
  }

 private:
  struct Found {
    Instant since;
    std::uint64_t position;
  };

  void add_finding(const Finding& finding) {
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
    m_found.push_back({finding.since.value_or(Instant::max()), m_findings.append(encode_item({finding, false}))});
  }

  Finding read(const Found& found) const { return decode_item(m_findings.read(found.position)).finding; }

  void append_chunk(std::size_t begin, std::size_t end) {
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

  void leave_over_limit(const Found& found) {
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

  TaskStore& m_store;
  Plan& m_plan;
  DerivedPlanner m_derived;
  Spool m_findings;
  std::vector<Found> m_found;
};

void add_listing(ReconcilePlanner& planner, Plan& plan, TaskStore& store, const Selector& selector) {
  const Listing listing =
      list_stuck(store, {.selector = selector, .policy = plan.policy, .now = plan.given_now, .include_fine = false});
  if (plan.now == Instant{}) {
    plan.now = listing.now;
    plan.warnings = listing.warnings;
  }
  planner.add(listing);
}

Plan start_reconcile(TaskStore& store, const ReconcileRequest& request) {
  Plan plan = start_plan(store, "reconcile");
  plan.given_now = request.now;
  plan.selector = request.selector;
  plan.policy = request.policy;
  plan.reason = request.reason;
  return plan;
}

/// A task that was to be planned again and is in neither list is no longer wrong.
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

Plan replan_reconcile(TaskStore& store, const Plan& plan, const std::vector<std::string>& tasks) {
  Plan again = start_reconcile(
      store,
      {.selector = plan.selector, .policy = plan.policy, .now = plan.given_now, .reason = plan.reason, .limit = {}});
  Transaction transaction{store.connection(), Access::read};
  ReconcilePlanner planner{store, again};
  for (std::size_t begin = 0; begin < tasks.size(); begin += k_planner_chunk) {
    const auto first = tasks.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto last = tasks.begin() + static_cast<std::ptrdiff_t>(std::min(tasks.size(), begin + k_planner_chunk));
    again.selector.ids.assign(first, last);  // the other filters still count: the task may have changed hands
    add_listing(planner, again, store, again.selector);
  }
  again.selector.ids = tasks;
  planner.finish(std::nullopt);
  transaction.commit();
  leave_out_settled(again, tasks);
  return again;
}

/// Those of the ids that are derived rows of the plan.
std::vector<std::string> rows_among(const Plan& plan, const std::vector<std::string>& ids) {
  const std::set<std::string> wanted{ids.begin(), ids.end()};
  std::vector<std::string> rows;
  plan.for_each([&](std::size_t, const PlanUnit& unit) {
    if (unit.finding && unit.finding->table && wanted.count(unit.task) > 0) {
      rows.push_back(unit.task);
    }
  });
  return rows;
}

Plan replan_cancel(TaskStore& store, const Plan& plan, const std::vector<std::string>& tasks) {
  CancelRequest request{.force = plan.force, .policy = plan.policy, .now = plan.given_now, .reason = plan.reason};
  request.rows = rows_among(plan, tasks);
  if (plan.is_selected) {
    // The filters still count: a task may have changed hands.
    request.selector = plan.selector;
    request.selector->ids = tasks;
    Plan again = plan_cancel(store, request);
    leave_out_settled(again, tasks);
    return again;
  }
  for (const std::string& task : tasks) {
    if (std::ranges::find(request.rows, task) != request.rows.end()) {
      continue;
    }
    request.keys.push_back(TaskKey::from_text(task, store.profile().key.size()));
  }
  return plan_cancel(store, request);
}

/// Nothing about an undo depends on what was found: the same units again.
Plan repeat_undo(TaskStore& store, const Plan& plan, const std::vector<std::string>& tasks) {
  Plan again = start_plan(store, plan.command);
  again.now = plan.now;
  again.selector.ids = tasks;
  again.reason = plan.reason;
  again.undoes = plan.undoes;
  const std::set<std::string> wanted{tasks.begin(), tasks.end()};
  plan.for_each([&](std::size_t, const PlanUnit& unit) {
    if (wanted.count(unit.task) > 0) {
      again.append(unit);
    }
  });
  return again;
}

}  // namespace

Plan plan_reconcile(TaskStore& store, const ReconcileRequest& request) {
  Plan plan = start_reconcile(store, request);
  Transaction transaction{store.connection(), Access::read};  // one snapshot for findings and rows
  ReconcilePlanner planner{store, plan};
  add_listing(planner, plan, store, request.selector);
  planner.finish(request.limit);
  plan.status_before = count_statuses(store);
  transaction.commit();
  return plan;
}

Plan replan(TaskStore& store, const Plan& plan, const std::vector<std::string>& tasks) {
  if (plan.command == "undo") {
    return repeat_undo(store, plan, tasks);
  }
  return plan.command == "cancel" ? replan_cancel(store, plan, tasks) : replan_reconcile(store, plan, tasks);
}

}  // namespace taskctl
