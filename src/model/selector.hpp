#pragma once

#include <string>
#include <vector>

#include "model/finding.hpp"

namespace taskctl {

/// The user's filters as data. Values of one field are alternatives, different fields combine with
/// AND, matching is exact. An empty selector selects everything (callers that must not, check empty()).
struct Selector {
  std::vector<std::string> ids, workers, kinds, queues, users, statuses;
  std::vector<Rule> rules;
  std::vector<Certainty> certainties;

  [[nodiscard]] bool empty() const;
  /// `kind = 'plan' AND status IN ('running', 'pending')`; "every task" when empty. For people.
  [[nodiscard]] std::string describe() const;
  /// Do rule and certainty match? (The other fields are matched by the database.)
  [[nodiscard]] bool matches(const Finding& finding) const;
};

}  // namespace taskctl
