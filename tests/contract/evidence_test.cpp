#include "engine/evidence_gatherer.hpp"

#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "base/text.hpp"
#include "contract/listing_scene.hpp"
#include "contract/store_scene.hpp"
#include "engine/applier_check.hpp"
#include "engine/planner.hpp"

using namespace taskctl;
using namespace taskctl::test;
using Catch::Matchers::Contains;

namespace {

/// Results with a time, logs and a column of the task, on both engines. Times are Unix seconds.
const std::string k_profile = R"TOML(
format  = 1
name    = "evidence"
engines = ["sqlite", "postgres"]
safety  = "full"

[task]
table  = "tasks"
key    = ["id"]
status = "state"
attempts = { used = "used", limit = "most" }

[task.time]
started  = "started_at"
finished = "finished_at"

[encoding.s]
format = "unix-s"
[times.tasks]
started_at  = "s"
finished_at = "s"
[times.results]
at = "s"

[[class]]
column    = "state"
queued    = ["queued"]
active    = ["running"]
succeeded = ["done"]
failed    = ["failed"]
cancelled = ["cancelled"]

[[evidence]]
source   = "result"
table    = "results"
match    = { task = "id" }
value    = "says"
order_by = "at"
pick     = "oldest"
finished = "at"
patterns = [["ok", "succeeded"], ["stop", "cancelled"]]

[[evidence]]
source   = "log"
table    = "lo""gs"
match    = { task = "id" }
text     = "li""ne"
order_by = "n"
tail     = 3
patterns = [["said: done", "succeeded"], ["[ERROR]", "failed", "text"]]

[[evidence]]
source   = "column"
value    = "note"
regex    = true
patterns = [["^gave up \\d+ times$", "failed"]]

[rules]
enable = ["cancel-overwritten", "duplicate-result"]

[defaults]
contradiction = "cancelled"
overdue       = "failed"

[[outcome.succeeded.op]]
do  = "update"
set = { state = "'done'", finished_at = "coalesce(finished_at, :finished)" }
[[outcome.failed.op]]
do  = "update"
set = { state = "'failed'", note = ":reason", finished_at = "coalesce(finished_at, :finished)" }
[[outcome.cancelled.op]]
do  = "update"
set = { state = "'cancelled'", finished_at = ":finished" }

[[rule.duplicate-result.op]]
do    = "delete"
table = "results"
match = { task = "id" }
when  = "NOT :first_result"
)TOML";

std::string profile_text() {
  std::string text = k_profile;
  for (const auto& [from, to] : {std::pair<std::string, std::string>{"\"lo\"\"gs\"", "'lo\"gs'"},
                                 std::pair<std::string, std::string>{"\"li\"\"ne\"", "'li\"ne'"}}) {
    text.replace(text.find(from), from.size(), to);
  }
  return text;
}

const std::string k_tables = R"SQL(
CREATE TABLE tasks (id integer PRIMARY KEY, state text, note text, used integer, most integer,
                    started_at integer, finished_at integer);
CREATE TABLE results (n integer PRIMARY KEY, task integer, says text, at integer);
CREATE TABLE "lo""gs" (n integer PRIMARY KEY, task integer, "li""ne" text);
)SQL";
const std::string k_indexes = R"SQL(
CREATE INDEX results_task ON results (task, at, n);
CREATE INDEX logs_task ON "lo""gs" (task, n);
)SQL";

const Instant k_now = parse_instant("2025-06-01T12:00:00Z", "now");

std::string at(int minutes_ago) {
  return std::to_string((k_now - std::chrono::minutes{minutes_ago}).time_since_epoch() / std::chrono::seconds{1});
}

/// A task that had ended an hour ago and is running by its status.
std::string contradiction(int id) {
  return "INSERT INTO tasks VALUES (" + std::to_string(id) + ", 'running', NULL, 0, 3, " + at(120) + ", " + at(60) +
         ");\n";
}
std::string task(int id, const std::string& state) {
  return "INSERT INTO tasks VALUES (" + std::to_string(id) + ", '" + state + "', NULL, 0, 3, " + at(120) + ", NULL);\n";
}
std::string log(int n, int of_task, const std::string& line) {
  return "INSERT INTO \"lo\"\"gs\" VALUES (" + std::to_string(n) + ", " + std::to_string(of_task) + ", '" + line +
         "');\n";
}
std::string result_row(int n, int of_task, const std::string& says, const std::string& when) {
  return "INSERT INTO results VALUES (" + std::to_string(n) + ", " + std::to_string(of_task) + ", '" + says + "', " +
         when + ");\n";
}

struct EvidenceScene : StoreScene {
  EvidenceScene(Engine engine, const std::string& rows, bool indexes)
      : StoreScene{engine, k_tables + (indexes ? k_indexes : std::string{}) + rows,
                   parse_profile(profile_text(), "evidence.toml")} {
    policy = profile().policy;
  }

  std::map<std::string, Finding> findings() {
    std::map<std::string, Finding> found;
    list_stuck(store(), {.policy = policy, .now = k_now}).for_each([&](const ListItem& item) {
      found.emplace(item.finding.task.key.text(), item.finding);
    });
    return found;
  }
  Finding finding(const std::string& id) { return findings().at(id); }

  Policy policy;
};

}  // namespace

TEST_CASE("the first result by order decides and nulls come last") {
  const Engine engine = GENERATE(from_range(test::engines()));
  const bool indexes = GENERATE(true, false);
  EvidenceScene scene{engine,
                      task(1, "running") + result_row(1, 1, "stop", at(50)) + result_row(2, 1, "ok", at(55)) +
                          result_row(3, 1, "stop", "NULL") + task(2, "running") + result_row(4, 2, "what?", at(50)) +
                          result_row(5, 2, "ok", at(40)) + task(3, "running"),
                      indexes};
  const Finding over = scene.finding("1");
  CHECK(over.rule == Rule::result_over);
  CHECK(over.outcome == Outcome::succeeded);
  CHECK(over.finished == k_now - std::chrono::minutes{55});
  CHECK(over.evidence.at(0).text == "results n=2 says 'ok', 55m ago");
  CHECK(scene.finding("2").rule == Rule::overdue);  // its first result says nothing that is known
  CHECK(scene.finding("3").rule == Rule::overdue);
}

TEST_CASE("results with the same time are ordered by their key") {
  const Engine engine = GENERATE(from_range(test::engines()));
  const bool indexes = GENERATE(true, false);
  EvidenceScene scene{engine, task(1, "running") + result_row(2, 1, "stop", at(50)) + result_row(1, 1, "ok", at(50)),
                      indexes};
  CHECK(scene.finding("1").outcome == Outcome::succeeded);
}

TEST_CASE("of a log the newest row of the tail that fits decides") {
  const Engine engine = GENERATE(from_range(test::engines()));
  const bool indexes = GENERATE(true, false);
  EvidenceScene scene{engine,
                      contradiction(1) + log(1, 1, "said: done") + log(2, 1, "[ERROR] \n broken  ") + log(3, 1, "bye") +
                          contradiction(2) + log(11, 2, "said: done") + log(12, 2, "a") + log(13, 2, "b") +
                          log(14, 2, "c") + contradiction(3) + log(21, 3, "said: done [ERROR]") + contradiction(4),
                      indexes};
  const auto found = scene.findings();
  CHECK(found.at("1").outcome == Outcome::failed);
  CHECK(found.at("1").said == "[ERROR] \n broken");
  CHECK(found.at("1").evidence.back().text == "lo\"gs n=2 says '[ERROR]'");
  CHECK(found.at("2").outcome == Outcome::cancelled);  // what it said is not among the last three
  CHECK(found.at("3").outcome == Outcome::succeeded);  // patterns of one row in their order
  CHECK_FALSE(found.at("3").said);
  CHECK(found.at("4").outcome == Outcome::cancelled);
}

TEST_CASE("a column of the task is the last source") {
  const Engine engine = GENERATE(from_range(test::engines()));
  EvidenceScene scene{engine,
                      contradiction(1) + contradiction(2) + "UPDATE tasks SET note = 'gave up 3 times' WHERE id = 1;" +
                          "UPDATE tasks SET note = 'it gave up 3 times' WHERE id = 2;",
                      true};
  CHECK(scene.finding("1").outcome == Outcome::failed);
  CHECK(scene.finding("1").evidence.back().text == "note says 'gave up 3 times'");
  CHECK(scene.finding("2").outcome == Outcome::cancelled);
  scene.policy.evidence = false;
  CHECK(scene.finding("1").outcome == Outcome::cancelled);
}

TEST_CASE("of a text of megabytes only the end is looked at") {
  const Engine engine = GENERATE(from_range(test::engines()));
  const std::string filler = std::string(3U << 20U, 'x');
  EvidenceScene scene{engine,
                      contradiction(1) + log(1, 1, "said: done" + filler) + contradiction(2) +
                          log(2, 2, filler + " [ERROR] at the end"),
                      true};
  CHECK(scene.finding("1").outcome == Outcome::cancelled);
  const Finding failed = scene.finding("2");
  CHECK(failed.outcome == Outcome::failed);
  CHECK(failed.said.value().size() == 4096);
  CHECK(failed.said.value().ends_with("[ERROR] at the end"));
  CHECK(display_width(failed.evidence.back().text) < 120);
}

TEST_CASE("duplicates and overwritten cancels are found although nothing in the task's row says so") {
  const Engine engine = GENERATE(from_range(test::engines()));
  const bool indexes = GENERATE(true, false);
  EvidenceScene scene{engine,
                      task(1, "done") + result_row(1, 1, "ok", at(50)) + result_row(2, 1, "ok", at(40)) +
                          task(2, "failed") + result_row(3, 2, "stop", at(50)) + task(3, "cancelled") +
                          result_row(4, 3, "stop", at(50)) + task(4, "done") + result_row(5, 4, "ok", at(50)),
                      indexes};
  const auto found = scene.findings();
  REQUIRE(found.size() == 2);
  CHECK(found.at("1").rule == Rule::duplicate_result);
  CHECK(found.at("2").rule == Rule::cancel_overwritten);
  CHECK(list_stuck(scene.store(), {.selector = {.statuses = {"failed"}}, .policy = scene.policy, .now = k_now})
            .summary.stuck == 1);
  scene.policy.evidence = false;
  CHECK(scene.findings().empty());
}

TEST_CASE("of many results only the first is kept and the others go") {
  const Engine engine = GENERATE(from_range(test::engines()));
  const std::string many = engine == Engine::sqlite ? "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s "
                                                      "WHERE n < 30000) INSERT INTO results SELECT "
                                                      "n, 1, 'ok', " +
                                                          at(50) + " + n / 3 FROM s;"
                                                    : "INSERT INTO results SELECT n, 1, 'ok', " + at(50) +
                                                          " + n / 3 FROM generate_series(1, 30000) n;";
  EvidenceScene scene{engine, task(1, "done") + many, true};
  const Finding finding = scene.finding("1");
  CHECK(finding.rule == Rule::duplicate_result);
  CHECK_THAT(finding.evidence.at(0).text, Contains("results n=1 says 'ok'"));
  const Transaction transaction{scene.connection(), Access::read};
  const std::vector<EvaluationInput> tasks{{{{"1"}}, ""}};
  const auto changes =
      scene.store().evaluate(scene.profile().rule_operations.at(Rule::duplicate_result), tasks, k_now).front();
  REQUIRE(changes.size() == 29999);
  CHECK(std::ranges::none_of(changes, [](const Change& change) { return change.key.display() == "n=1"; }));
}

TEST_CASE("a result that changes between plan and run makes a conflict") {
  const Engine engine = GENERATE(from_range(test::engines()));
  EvidenceScene scene{engine, task(1, "running") + result_row(1, 1, "ok", at(50)), true};
  const Plan plan = plan_reconcile(scene.store(), {.policy = scene.policy, .now = k_now});
  REQUIRE(plan.size() == 1);
  const PlanUnit unit = plan.unit(0);
  CHECK(text_in(unit.changes.at(0).after, "finished_at") == at(50));
  const auto check = [&] {
    const Transaction transaction{scene.connection(), Access::read};
    FactsRequest wanted{.rows = FactsRequest::Rows::by_key, .keys = {{{"1"}}}};
    TaskFacts facts;
    scene.store().read_facts(wanted, [&](TaskFacts&& read) { facts = std::move(read); });
    const JudgeContext context = read_judge_context(scene.store(), plan.policy, plan.given_now);
    TaskFacts* const one = &facts;
    gather_evidence(scene.store(), context, {&one, 1});
    return check_again(unit, facts, context, plan, {});
  };
  CHECK_FALSE(check());
  scene.db().exec("UPDATE results SET says = 'stop'");
  REQUIRE(check());
  CHECK(check()->result == UnitResult::conflict);
  CHECK_THAT(check()->detail, Contains("its outcome would be 'cancelled' now"));
  scene.db().exec("UPDATE results SET says = 'ok', at = " + at(49));
  REQUIRE(check());
  CHECK(check()->result == UnitResult::conflict);
  scene.db().exec("DELETE FROM results");
  REQUIRE(check());
  CHECK(check()->result == UnitResult::moved_on);
}

TEST_CASE("evidence that the role may not read leaves the outcome open") {
  auto db = temp_postgres(fixture("workspace_tasks.postgres.sql") + R"(
  DO $$
  DECLARE reader text := current_database() || '_reader';
  BEGIN
    EXECUTE format('CREATE ROLE %I', reader);
    EXECUTE format('GRANT SELECT ON workspace_tasks, agents, workspaces TO %I', reader);
    EXECUTE format('ALTER DATABASE %I SET role = %I', current_database(), reader);
  END $$;)");
  ListingScene scene{std::move(db), "workspace-tasks", "2025-11-07T20:00:00+08:00"};
  const auto report = scene.inspect("572");
  REQUIRE(report);
  CHECK(report->judgement.finding.value().outcome == Outcome::undecided);
  CHECK_THAT(report->judgement.finding->note, Contains("the role may not read 'task_logs'"));
  CHECK(scene.inspect("574")->judgement.finding.value().outcome == Outcome::parked);
}

TEST_CASE("a cancel names the evidence that it writes over and does as it was told") {
  const Engine engine = GENERATE(from_range(test::engines()));
  EvidenceScene scene{
      engine, task(1, "running") + result_row(1, 1, "ok", at(50)) + task(2, "running") + task(3, "queued"), true};
  const auto cancel = [&](const std::string& id, bool force) {
    CancelRequest request{.keys = {TaskKey{{id}}}, .force = force, .policy = scene.policy, .now = k_now, .reason = ""};
    return plan_cancel(scene.store(), request);
  };
  const Plan over = cancel("1", true);
  REQUIRE(over.size() == 1);
  const Finding finding = *over.unit(0).finding;
  CHECK(finding.outcome == Outcome::cancelled);
  CHECK_THAT(finding.evidence.back().text, Contains("'ok'") && Contains("succeeded, which is written over"));
  CHECK_FALSE(finding.said);
  const Plan silent = cancel("2", true);
  REQUIRE(silent.size() == 1);
  const Finding untold = *silent.unit(0).finding;
  for (const Evidence& evidence : untold.evidence) {
    CHECK_THAT(evidence.text, !Contains("written over"));
  }
}
