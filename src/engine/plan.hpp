#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/spool.hpp"
#include "model/change.hpp"
#include "model/policy.hpp"
#include "model/selector.hpp"

namespace taskctl {

/// A finding (or a named task) that the plan leaves alone, and why.
struct LeftOut {
  enum class Why {
    needs_max_age,
    undecided,
    hazard,
    reported_only,
    over_limit,
    already_over,       ///< cancel: the task has ended otherwise
    already_cancelled,  ///< cancel: it is as the caller wants it
    needs_force,        ///< cancel: active, and --force was not given
    unknown,            ///< no such task
    unknown_age,        ///< cancel by age: nothing readable says how old it is
    not_repairable,     ///< the profile has no operations for the outcome, or its safety class forbids it
    changed_since,      ///< undo: a row is no longer as the run left it; it is kept as it is
    unaddressable,      ///< its id does not lead to its row
    nothing_to_do,      ///< the operations would change nothing
    worker_alive,       ///< release-worker: its worker is at work
    applied_before,     ///< resume: this run has changed it already
    too_fresh,          ///< release-worker: given to the dead worker a moment ago
  };
  std::string task;
  Why why = Why::undecided;
  std::string detail;
  std::optional<Finding> finding;
};
[[nodiscard]] std::string_view to_string(LeftOut::Why why);

/// A plan without its units: what was asked, of which database, and what was left alone.
struct PlanHead {
  std::string command;   ///< reconcile, cancel, release-worker, undo
  std::string identity;  ///< of the database
  std::string profile, profile_hash, schema_fingerprint;
  Instant now{};                     ///< detection time, the value of :now
  std::optional<Instant> given_now;  ///< --now
  Selector selector;
  Policy policy;
  std::string reason;             ///< --reason
  std::string undoes;             ///< run id, for an undo
  std::string nonce;              ///< unique; stands in the journal once applied
  bool force = false;             ///< cancel: active tasks too; release-worker: see ReleaseRequest
  bool is_selected = false;       ///< cancel: by filters, not by ids
  std::vector<LeftOut> left_out;  ///< at most k_left_out_kept of them …
  std::map<LeftOut::Why, std::int64_t> left_out_counts;  ///< … all are counted
  std::int64_t remaining = 0;                            ///< repairable findings beyond --limit
  std::map<std::string, std::int64_t> status_before;     ///< rows per native status, when counted
  std::vector<std::string> unmapped;  ///< statuses in use that the profile gives no class; of a fresh plan, never saved
  std::vector<std::string> warnings;
};

/// Ordered changes, with what they rest on. What --dry-run prints and what a run applies. Units are
/// spooled: memory does not grow with their number.
class Plan : public PlanHead {
 public:
  static constexpr std::size_t k_left_out_kept = 10'000;
  void leave_out(LeftOut left);

  /// Throws Error{bug} when the unit depends on itself or on a later one.
  void append(const PlanUnit& unit);
  [[nodiscard]] std::size_t size() const { return m_positions.size(); }
  [[nodiscard]] bool empty() const { return m_positions.empty(); }
  [[nodiscard]] PlanUnit unit(std::size_t index) const;
  void for_each(const std::function<void(std::size_t, const PlanUnit&)>& visit) const;
  [[nodiscard]] std::int64_t change_count() const { return m_changes; }
  /// Those of the units that are rows beside the tasks: of an invariant or derived.
  [[nodiscard]] std::size_t row_count() const { return m_rows; }
  /// End of the batch that begins at `begin`: `wanted` units, and more where a unit depends on one of them.
  [[nodiscard]] std::size_t batch_end(std::size_t begin, std::size_t wanted) const;
  /// Tables that the plan writes.
  [[nodiscard]] std::vector<TableName> tables() const;
  /// SHA-256 over everything above, every unit included. The same plan has the same hash in every process.
  [[nodiscard]] std::string hash() const;

 private:
  Spool m_units;
  std::vector<std::uint64_t> m_positions;
  std::map<std::size_t, std::size_t> m_last_dependent;  ///< unit → the last unit that depends on it
  std::map<TableName, std::int64_t> m_tables;
  std::int64_t m_changes = 0;
  std::size_t m_rows = 0;
};

[[nodiscard]] std::string encode_unit(const PlanUnit& unit);
[[nodiscard]] PlanUnit decode_unit(std::string_view bytes);

}  // namespace taskctl
