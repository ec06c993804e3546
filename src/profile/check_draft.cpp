#include <fmt/format.h>

#include "base/text.hpp"
#include "profile/draft.hpp"

namespace taskctl {

namespace {

/// A time column without an encoding would have to be guessed at.
void check_encodings(const Draft& draft) {
  for (const Draft::TimeUse& use : draft.times) {
    const auto& [table, column, where] = use.column;
    if (draft.profile.encoding_of(table, column) == nullptr) {
      fail_at(where, fmt::format("{} in column '{}' of '{}' has no encoding, expected an entry '{}' in [times.{}]",
                                 use.why, printable(column), printable(table), printable(column), printable(table)));
    }
  }
}

void check_encoded_tables(const Draft& draft) {
  const std::vector<std::string> known{draft.tables.begin(), draft.tables.end()};
  for (const auto& [table, where] : draft.encoded_tables) {
    if (!draft.tables.contains(table)) {
      const std::string near = nearest(table, known);
      fail_at(where,
              fmt::format("table '{}' is named nowhere else, expected a table of this profile", printable(table)),
              near.empty() ? "A schema is part of the name: [times.\"schema.table\"]."
                           : fmt::format("Did you mean '{}'?", near));
    }
  }
}

void check_worker(const Draft& draft) {
  if (draft.profile.worker.given() || draft.worker_uses.empty()) {
    return;
  }
  const auto& [where, what] = draft.worker_uses.front();
  fail_at(where, fmt::format("{} needs to know the task's worker, expected 'worker' in [task]", what));
}

/// release-only: may give up a claim, never say how a task ended.
bool allowed_in_release_only(Outcome outcome) {
  return outcome == Outcome::requeued || outcome == Outcome::released || outcome == Outcome::parked ||
         outcome == Outcome::unchanged || outcome == Outcome::undecided;
}

void check_read_only(const Draft& draft) {
  if (draft.profile.safety == Safety::full) {
    return;
  }
  if (!draft.rule_places.empty()) {
    fail_at(draft.rule_places.begin()->second,
            fmt::format("has operations in a {} profile, expected safety = \"full\"", to_string(draft.profile.safety)));
  }
  if (draft.profile.safety == Safety::read_only && !draft.outcome_places.empty()) {
    fail_at(draft.outcome_places.begin()->second,
            "has operations in a read-only profile, expected safety = \"full\" or \"release-only\"");
  }
}

void check_release_only(const Draft& draft, Outcome outcome, const SourcePosition& where) {
  if (draft.profile.safety == Safety::release_only && !allowed_in_release_only(outcome)) {
    fail_at(where,
            fmt::format("'{}' goes further than a release-only profile may, expected requeued, released or parked",
                        to_string(outcome)));
  }
}

/// Whatever a repair may choose must be possible; better now than at 3 a.m. in the middle of a plan.
void check_outcomes(const Draft& draft) {
  for (const auto& [outcome, where] : draft.outcome_places) {
    check_release_only(draft, outcome, where);
  }
  if (draft.profile.safety == Safety::read_only) {
    return;
  }
  for (const auto& [outcome, where] : draft.chosen) {
    check_release_only(draft, outcome, where);
    const bool nothing_to_do = outcome == Outcome::unchanged || outcome == Outcome::undecided;
    if (!nothing_to_do && !draft.profile.outcomes.contains(outcome)) {
      fail_at(where, fmt::format("outcome '{}' has no operations, expected at least one [[outcome.{}.op]]",
                                 to_string(outcome), to_string(outcome)));
    }
  }
}

}  // namespace

void check_draft(const Draft& draft) {
  check_encoded_tables(draft);
  check_encodings(draft);
  check_worker(draft);
  check_read_only(draft);
  check_outcomes(draft);
}

}  // namespace taskctl
