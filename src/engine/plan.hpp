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
    already_over,    ///< cancel: the task has ended
    needs_force,     ///< cancel: active, and --force was not given
    unknown,         ///< no such task
    not_repairable,  ///< the profile has no operations for the outcome, or its safety class forbids it
    nothing_to_do,   ///< the operations would change nothing
  };
  std::string task;
  Why why = Why::undecided;
  std::string detail;
  std::optional<Finding> finding;
};
[[nodiscard]] std::string_view to_string(LeftOut::Why why);

/// Ordered changes, with what they rest on. What --dry-run prints and what a run applies. Units are
/// spooled: memory does not grow with their number.
class Plan {
 public:
  std::string command;   ///< reconcile, cancel, undo
  std::string identity;  ///< of the database
  std::string profile, profile_hash, schema_fingerprint;
  Instant now{};                     ///< detection time, the value of :now
  std::optional<Instant> given_now;  ///< --now
  Selector selector;
  Policy policy;
  std::string reason;  ///< --reason
  std::string undoes;  ///< run id, for an undo
  std::string nonce;   ///< unique; stands in the journal once applied
  std::vector<LeftOut> left_out;
  std::int64_t remaining = 0;                         ///< repairable findings beyond --limit
  std::map<std::string, std::int64_t> status_before;  ///< rows per native status, when counted
  std::vector<std::string> warnings;

  void append(const PlanUnit& unit);
  [[nodiscard]] std::size_t size() const { return m_positions.size(); }
  [[nodiscard]] bool empty() const { return m_positions.empty(); }
  [[nodiscard]] PlanUnit unit(std::size_t index) const;
  void for_each(const std::function<void(std::size_t, const PlanUnit&)>& visit) const;
  [[nodiscard]] std::int64_t change_count() const { return m_changes; }
  /// Tables that the plan writes.
  [[nodiscard]] std::vector<TableName> tables() const;
  /// SHA-256 over identity, profile, schema and every unit.
  [[nodiscard]] std::string hash() const;

 private:
  Spool m_units;
  std::vector<std::uint64_t> m_positions;
  std::map<TableName, std::int64_t> m_tables;
  std::int64_t m_changes = 0;
};

[[nodiscard]] std::string encode_unit(const PlanUnit& unit);
[[nodiscard]] PlanUnit decode_unit(std::string_view bytes);

}  // namespace taskctl
