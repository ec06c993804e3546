#pragma once

#include <functional>
#include <string>
#include <vector>

#include "model/policy.hpp"
#include "model/selector.hpp"
#include "store/task_store.hpp"

namespace taskctl {

/// Ids of rows beside the tasks are "table:key", of tasks that ended together "table:time", see id_of(). The others are
/// tasks.
[[nodiscard]] std::vector<std::string> task_ids(const Profile& profile, const std::vector<std::string>& ids);

/// Calls `found` with every row that an [[invariant]] or [[derived]] entry calls wrong, in the order of the profile.
/// Filters that only tasks have (worker, kind, queue, user, status) leave no row.
void list_rule_rows(TaskStore& store, const Selector& selector, const Policy& policy, Instant now,
                    const std::function<void(Finding&&)>& found);

/// Calls `found` once for every instant in which too many tasks ended, where that rule is on: there may be a hundred
/// thousand of them, and nothing is to be done about any. The finding's key is the value that they share.
void list_bulk_finished(TaskStore& store, const Selector& selector, const std::function<void(Finding&&)>& found);

/// Invariants: the time that the rule names is known and older than `settle`; an application that is in the middle of
/// two statements is healthy. A rule without a time has no such doubt.
[[nodiscard]] bool is_settled(const RowRule& rule, const RuleRow& row, const Policy& policy, Instant now);

[[nodiscard]] Finding row_finding(const RowRule& rule, const RuleRow& row, const Profile& profile);

/// Text of :reason for a row: --reason, or the rule's message.
[[nodiscard]] std::string row_reason(const RowRule& rule, const std::string& given);

/// The entry behind a finding about a row. Throws Error{stale} when the profile has none.
[[nodiscard]] const RowRule& rule_of(const Profile& profile, const Finding& finding);

}  // namespace taskctl
