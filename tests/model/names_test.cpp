#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "model/change.hpp"
#include "model/finding.hpp"
#include "model/run.hpp"

using namespace taskctl;

namespace {

/// Every value has a code of its own that reads back as the value; nothing else does.
template <typename Enum, typename Parse>
void check_codes(std::initializer_list<Enum> values, Parse parse) {
  std::set<std::string_view> seen;
  for (const Enum value : values) {
    const std::string_view code = to_string(value);
    CAPTURE(code);
    CHECK_FALSE(code.empty());
    CHECK(seen.insert(code).second);
    CHECK(code.find('_') == std::string_view::npos);
    CHECK(parse(code) == value);
    CHECK_FALSE(parse(std::string{code} + "x"));
  }
  CHECK_FALSE(parse(""));
  CHECK_FALSE(parse("Unknown"));
}

}  // namespace

TEST_CASE("codes of the enumerations read back") {
  check_codes({TaskClass::queued, TaskClass::active, TaskClass::parked, TaskClass::succeeded, TaskClass::failed,
               TaskClass::cancelled},
              parse_task_class);
  check_codes({Rule::contradiction, Rule::cancel_requested, Rule::missing_finished_time, Rule::dead,
               Rule::never_assigned, Rule::overdue, Rule::waiting, Rule::clock, Rule::unreadable, Rule::settling},
              parse_rule);
  check_codes({Rule::claim_without_task, Rule::active_without_claim, Rule::result_without_task, Rule::worker_task_over,
               Rule::lock_of_ended_task, Rule::request_left_behind, Rule::accounts_wrong},
              parse_rule);
  check_codes({Certainty::certain, Certainty::probable, Certainty::possible, Certainty::none}, parse_certainty);
  check_codes({Outcome::succeeded, Outcome::failed, Outcome::cancelled, Outcome::requeued, Outcome::parked,
               Outcome::released, Outcome::unchanged, Outcome::undecided, Outcome::corrected, Outcome::removed},
              parse_outcome);
  check_codes({Operation::update, Operation::insert, Operation::remove}, parse_operation);
  check_codes({RunState::started, RunState::done, RunState::stopped, RunState::failed}, parse_run_state);
}

TEST_CASE("codes are those of the design") {
  CHECK(to_string(Rule::missing_finished_time) == "missing-finished-time");
  CHECK(to_string(Rule::cancel_requested) == "cancel-requested");
  CHECK(to_string(Rule::never_assigned) == "never-assigned");
  CHECK(to_string(Operation::remove) == "delete");
  CHECK(to_string(UnitResult::moved_on) == "moved-on");
  CHECK(to_string(UnitResult::applied) == "applied");
  CHECK(to_string(Repair::needs_max_age) == "needs-max-age");
  CHECK(to_string(Repair::needs_outcome) == "needs-outcome");
  CHECK(to_string(Liveness::unknown) == "unknown");
  CHECK(to_string(static_cast<Rule>(99)).empty());
}

TEST_CASE("only the last three classes are terminal") {
  CHECK_FALSE(is_terminal(TaskClass::queued));
  CHECK_FALSE(is_terminal(TaskClass::active));
  CHECK_FALSE(is_terminal(TaskClass::parked));
  CHECK(is_terminal(TaskClass::succeeded));
  CHECK(is_terminal(TaskClass::failed));
  CHECK(is_terminal(TaskClass::cancelled));
}

TEST_CASE("the age of a finding counts from since") {
  Finding finding;
  const Instant now{std::chrono::hours{100}};
  CHECK_FALSE(age_of(finding, now));
  finding.since = now - std::chrono::hours{7};
  CHECK(age_of(finding, now) == std::chrono::hours{7});
  finding.since = now + std::chrono::hours{5};
  CHECK(age_of(finding, now) == -std::chrono::hours{5});
}
