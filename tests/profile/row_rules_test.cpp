#include "refusal.hpp"

using namespace taskctl;
using namespace taskctl::testing;

namespace {

constexpr std::string_view k_invariant = R"TOML(
[[invariant]]
rule    = "lock-of-ended-task"
table   = "locks"
key     = ["name"]
since   = "taken_at"
when    = "r.job_id IN (SELECT j.id FROM jobs j WHERE j.status = 'ok')"
message = "the lock is of a job that is over"

[[invariant.op]]
do  = "update"
set = { job_id = "NULL", freed_at = ":now", note = ":reason" }

[times.locks]
taken_at = "utc"
freed_at = "ms"
)TOML";

constexpr std::string_view k_derived = R"TOML(
[[derived]]
table = "pools"
match = { name = "worker", kind = "kind_id" }
set   = { used = "(SELECT count(*) FROM {tasks} t WHERE t.taskctl_worker = r.name)" }
)TOML";

std::string with(std::string_view addition, std::string_view from = {}, std::string_view to = {}) {
  std::string text{addition};
  if (!from.empty()) {
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    text.replace(at, from.size(), to);
  }
  return std::string{k_sample_profile} + text;
}

void check_bad(std::string_view addition, std::string_view from, std::string_view to, const std::string& message) {
  INFO(to);
  CHECK_THAT(refusal(with(addition, from, to)).message, Catch::Contains(message));
}

}  // namespace

TEST_CASE("an invariant is read with its operation") {
  const Profile profile = parse_profile(with(k_invariant), "queue.toml");
  REQUIRE(profile.row_rules.size() == 1);
  const RowRule& rule = profile.row_rules[0];
  CHECK(rule.rule == Rule::lock_of_ended_task);
  CHECK_FALSE(rule.derived);
  CHECK(rule.table == "locks");
  CHECK(rule.key == std::vector<std::string>{"name"});
  CHECK(rule.since == "taken_at");
  CHECK(rule.message == "the lock is of a job that is over");
  REQUIRE(rule.op);
  CHECK(rule.op->kind == OperationSpec::Kind::update);
  CHECK(rule.op->set.size() == 3);
  CHECK(profile.row_rule(Rule::lock_of_ended_task, "locks") == &rule);
  CHECK(profile.row_rule(Rule::lock_of_ended_task, "jobs") == nullptr);
  CHECK(profile.row_rule(Rule::accounts_wrong, "locks") == nullptr);
}

TEST_CASE("an invariant without an operation only reports") {
  const std::string text = with(k_invariant);
  const std::size_t op = text.find("[[invariant.op]]");
  const std::size_t times = text.find("[times.locks]");
  const std::string without = text.substr(0, op) + "[times.locks]\ntaken_at = \"utc\"\n";
  REQUIRE(times != std::string::npos);
  CHECK_FALSE(parse_profile(without, "queue.toml").row_rules.at(0).op);
}

TEST_CASE("a derived row is tied to workers and to columns of tasks") {
  const Profile profile = parse_profile(with(k_derived), "queue.toml");
  REQUIRE(profile.row_rules.size() == 1);
  const RowRule& rule = profile.row_rules[0];
  CHECK(rule.derived);
  CHECK(rule.rule == Rule::accounts_wrong);
  REQUIRE(rule.ties.size() == 2);
  CHECK(rule.ties[0].column == "name");
  CHECK(rule.ties[0].task.empty());
  CHECK(rule.ties[1].task == "kind_id");
  CHECK_FALSE(rule.sums);
}

TEST_CASE("sums of a derived row are a select over the tasks that is joined by its match") {
  const std::string sums =
      "sums = \"(SELECT t.node AS name, count(*) AS used FROM {tasks} t GROUP BY t.node)\"\nset   =";
  CHECK(parse_profile(with(k_derived, "set   =", sums), "queue.toml").row_rules.at(0).sums);
  check_bad(k_derived, "match = { name = \"worker\", kind = \"kind_id\" }", "sums = \"(SELECT 1)\"",
            "expected 'match' with the columns that both have");
  check_bad(k_derived, "set   =", "sums = \"(SELECT 1 WHERE :now > 1)\"\nset   =", "':now' has no meaning here");
}

TEST_CASE("bad invariants are refused with their place") {
  check_bad(k_invariant, "\"lock-of-ended-task\"", "\"lock-of-ended-tsk\"", "'lock-of-ended-tsk' is unknown");
  check_bad(k_invariant, "\"lock-of-ended-task\"", "\"overdue\"", "'overdue' is unknown");
  check_bad(k_invariant, "\"lock-of-ended-task\"", "\"accounts-wrong\"", "expected a [[derived]] entry for this rule");
  check_bad(k_invariant, "table   = \"locks\"\n", "", "table': missing");
  check_bad(k_invariant, "key     = [\"name\"]", "key = []", "is empty");
  check_bad(k_invariant, "message = \"the lock is of a job that is over\"", "", "message': missing");
  check_bad(k_invariant, "r.job_id IN", "r.job_id = :task.id OR r.job_id IN", "':task.id' has no meaning here");
  check_bad(k_invariant, "FROM jobs j", "FROM {tasks} j", "'{tasks}' has no meaning here");
  check_bad(k_invariant, "FROM jobs j", "FROM {jobs} j", "contains '{'");
  check_bad(k_invariant, "= 'ok')", "= 'ok'", "'(' is not closed");
  check_bad(k_invariant, "do  = \"update\"", "do  = \"insert\"", "'insert' is unknown");
  check_bad(k_invariant, "do  = \"update\"", "do  = \"delete\"", "unknown key");
  check_bad(k_invariant, "{ job_id = \"NULL\"", "{ name = \"NULL\"", "sets 'name', which names the row");
  check_bad(k_invariant, "freed_at = \"ms\"", "", "':now' in column 'freed_at' of 'locks' has no encoding");
  check_bad(k_invariant, "taken_at = \"utc\"", "", "a time in column 'taken_at' of 'locks' has no encoding");
  check_bad(k_invariant, "[times.locks]", "[[invariant.op]]\ndo = \"delete\"\n[times.locks]", "is a second operation");
  const std::string twice = std::string{k_derived} + std::string{k_derived};
  CHECK_THAT(refusal(with(twice)).message, Catch::Contains("is a second entry of 'accounts-wrong' for table 'pools'"));
}

TEST_CASE("bad derived rows are refused with their place") {
  check_bad(k_derived, "table = \"pools\"", "table = \"pools\"\nrule = \"claim-without-task\"",
            "expected 'accounts-wrong', or an [[invariant]] entry");
  check_bad(k_derived, "{ name = \"worker\", kind = \"kind_id\" }", "{ }", "is empty");
  check_bad(k_derived, "r.name)", ":worker)", "':worker' has no meaning here");
  check_bad(k_derived, "set   =", "sets  =", "unknown key");
  CHECK_THAT(refusal(sample_with("set = { status = \"'bad'\"", "set = { status = \"(SELECT 1 FROM {tasks})\"")).message,
             Catch::Contains("'{tasks}' has no meaning here"));
}
