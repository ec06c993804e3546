#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/context.hpp"
#include "engine/guard.hpp"
#include "view/format.hpp"
#include "view/json.hpp"

namespace taskctl {

/// The rules of a guard with how many rows contradict them now.
struct GuardRules {
  std::vector<GuardRule> rules;
  std::vector<std::optional<std::int64_t>> wrong;
  std::vector<std::string> left_out;
  [[nodiscard]] bool any_wrong() const;
  /// No row stands in the way of validating the constraint, which only the rule `finished` has.
  [[nodiscard]] bool can_validate() const;
};

void print_guard_rules(Streams& streams, const GuardRules& rules);
void print_guard_status(Streams& streams, const Session& session, const TableInfo& table, const GuardStatus& status,
                        const GuardRules& rules);
void print_guard_report(Streams& streams, const std::vector<GuardRecord>& records);

[[nodiscard]] Json guard_rules_json(const GuardRules& rules);
[[nodiscard]] Json guard_status_json(const Session& session, const TableInfo& table, const GuardStatus& status,
                                     const GuardRules& rules);
[[nodiscard]] Json guard_report_json(const Session& session, const std::vector<GuardRecord>& records);

}  // namespace taskctl
