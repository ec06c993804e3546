#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "engine/plan.hpp"
#include "store/task_overlay.hpp"
#include "store/task_store.hpp"

namespace taskctl {

/// Appends one unit per finding about a row of an [[invariant]], in order, from the rows as they are in the caller's
/// transaction. Those that are no longer wrong, or that the operation would not change, are left out.
void append_row_units(Plan& plan, TaskStore& store, std::span<const Finding> findings);

/// Plans derived rows: those that the plan's tasks add up to, worked out on the tasks as the plan leaves them, and
/// those that are wrong already. Changes of a derived row stand behind the tasks that they depend on, so near that they
/// fit into one batch: call follow() after every few tasks. Tasks that a plan inserts are not counted before they are
/// there; the next run sees them.
class DerivedPlanner {
 public:
  DerivedPlanner(TaskStore& store, Plan& plan);

  /// This row is wrong already.
  void want(const Finding& finding);
  /// Rows that depend on units appended since the last call.
  void follow();
  /// The wanted rows that no task of the plan had to do with.
  void finish();

 private:
  using Texts = std::vector<std::string>;
  /// Values of a rule's ties, and the units whose tasks have them.
  using Touched = std::map<Texts, std::set<std::size_t>>;

  void note_changes(const PlanUnit& unit);
  void touch(std::size_t index, const PlanUnit& unit);
  [[nodiscard]] const Change* task_change(const PlanUnit& unit) const;
  [[nodiscard]] std::optional<Texts> ties_of(const RowRule& rule, const PlanUnit& unit, const Image* task) const;
  void follow(const RowRule& rule, const Touched& touched);
  void append(const RowRule& rule, RuleRow&& row, const std::set<std::size_t>& depends_on);
  [[nodiscard]] std::vector<RuleRow> read(const RowRuleRequest& request);

  TaskStore& m_store;
  Plan& m_plan;
  std::vector<const RowRule*> m_rules;  ///< derived ones that may be repaired
  TaskOverlay m_overlay;
  std::size_t m_next = 0;                                 ///< first unit that was not looked at
  std::map<std::string, std::optional<Image>> m_planned;  ///< rows of derived tables as the plan leaves them
  std::map<const RowRule*, Touched> m_touched;            ///< by the units since the last follow()
  std::map<const RowRule*, std::map<TaskKey, Finding>> m_wanted;
};

/// So many of `tasks` are planned between two follow() calls, and with what depends on them applied in one batch: few,
/// because others wait for the batch, but not so few that the rows of a big plan are added up again and again.
[[nodiscard]] std::size_t derived_chunk(std::size_t tasks);

[[nodiscard]] bool has_derived_rows(const Profile& profile);

}  // namespace taskctl
