#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/spool.hpp"
#include "engine/plan.hpp"
#include "store/journal.hpp"
#include "store/task_store.hpp"

namespace taskctl {

/// Throws Error{stale} when the plan is for another database, another version of the profile, or other tables than the
/// store's.
void require_same_target(const Plan& plan, TaskStore& store);

/// Throws Error{stale} that names the run when the journal says that the plan was applied.
void require_unapplied(const Plan& plan, Journal& journal);

/// Throws Error{refused} when a plan of so many units is too large for one transaction.
void require_strict_size(std::size_t units);

/// What became of a planned task since the plan was made.
enum class Freshness {
  fresh,     ///< would be written as planned
  changed,   ///< still wrong, but its rows are not as planned: a conflict
  moved_on,  ///< no longer wrong
  refused,   ///< a hazard stands in the way now
  gone,      ///< its row does not exist any more
};
[[nodiscard]] std::string_view to_string(Freshness freshness);  ///< "moved on"

/// How a plan compares with the database. Memory is a few bytes a unit, and what is not fresh is spooled.
class PlanCheck {
 public:
  void add(Freshness freshness, const std::string& detail);
  [[nodiscard]] Freshness freshness(std::size_t unit) const { return m_states.at(unit); }
  [[nodiscard]] std::string detail(std::size_t unit) const;  ///< why it is not fresh
  [[nodiscard]] std::size_t size() const { return m_states.size(); }
  [[nodiscard]] std::int64_t count(Freshness freshness) const;
  [[nodiscard]] bool all_fresh() const { return count(Freshness::fresh) == static_cast<std::int64_t>(m_states.size()); }

 private:
  std::vector<Freshness> m_states;
  std::map<std::size_t, std::uint64_t> m_positions;  ///< in m_details, of the units that have one
  std::map<Freshness, std::int64_t> m_counts;
  Spool m_details;
};

/// Reads the rows of every unit and judges its task again, by the code that checks before a write. One read
/// transaction; works on a connection that cannot write.
PlanCheck check_plan(TaskStore& store, const Plan& plan);

}  // namespace taskctl
