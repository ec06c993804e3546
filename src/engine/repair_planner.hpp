#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/planner_parts.hpp"
#include "engine/row_planner.hpp"

namespace taskctl {

/// Collects findings, flat in memory, and turns those that may be repaired into units, the longest stuck first.
class RepairPlanner {
 public:
  RepairPlanner(TaskStore& store, Plan& plan) : m_store{store}, m_plan{plan}, m_derived{store, plan} {}

  /// Tasks to be left alone: the run that is resumed has changed them. Must outlive the planner.
  void leave(const std::set<std::string>& applied) { m_applied = &applied; }
  /// Takes the finding, or leaves it out with the reason. Does not use the store.
  void add(const Finding& finding);
  /// Appends the units, in the caller's transaction. Findings beyond `limit` are counted in Plan::remaining.
  void finish(const std::optional<std::size_t>& limit);

 private:
  struct Found {
    Instant since;
    std::uint64_t position;
  };
  [[nodiscard]] Finding read(const Found& found) const;
  void append_chunk(std::size_t begin, std::size_t end);
  void leave_over_limit(const Found& found);

  TaskStore& m_store;
  Plan& m_plan;
  DerivedPlanner m_derived;
  Spool m_findings;
  std::vector<Found> m_found;
  const std::set<std::string>* m_applied = nullptr;
};

/// A task that was to be planned again and is in neither list of the plan is no longer wrong.
void leave_out_settled(Plan& again, const std::vector<std::string>& tasks);

}  // namespace taskctl
