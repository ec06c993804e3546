#include "engine/lister.hpp"

#include <map>
#include <vector>

#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "contract/listing_scene.hpp"

using namespace taskctl;
using namespace taskctl::test;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;

namespace {

ListingScene task_queue() {
  return {temp_sqlite(fixture("task_queue.sqlite.sql")), "task-queue", "2025-12-19T16:54:56+08:00"};
}
ListingScene workspace_tasks(const std::string& more = {}) {
  return {temp_postgres(fixture("workspace_tasks.postgres.sql") + more), "workspace-tasks",
          "2025-11-07T20:00:00+08:00"};
}
ListingScene cluster() {
  return {temp_postgres(fixture("cluster.postgres.sql")), "cluster", "2025-11-16T13:20:00Z"};
}
ListingScene jobs() {
  return {temp_sqlite(fixture("jobs.sqlite.sql")), "jobs", "2025-07-18T12:00:00Z"};
}

std::map<std::string, ListItem> by_id(const Listing& listing) {
  std::map<std::string, ListItem> items;
  listing.for_each([&](const ListItem& item) { items.emplace(item.finding.task.key.text(), item); });
  return items;
}

/// "contradiction certain undecided needs-outcome" of every listed task, "fine" of healthy ones.
std::map<std::string, std::string> verdicts(const Listing& listing) {
  std::map<std::string, std::string> texts;
  for (const auto& [id, item] : by_id(listing)) {
    const Finding& f = item.finding;
    texts[id] = item.fine ? "fine"
                          : std::string{to_string(f.rule)} + " " + std::string{to_string(f.certainty)} + " " +
                                std::string{to_string(f.outcome)} + " " + std::string{to_string(f.repair)};
  }
  return texts;
}

using Verdicts = std::map<std::string, std::string>;
const std::string k_yes{to_string(Repair::yes)};
const std::string k_never{to_string(Repair::never)};
const std::string k_needs_max_age{to_string(Repair::needs_max_age)};

}  // namespace

TEST_CASE("task queue lists what is overdue at every threshold") {
  auto scene = task_queue();
  const std::string overdue = "overdue possible failed " + k_yes;
  Verdicts expected{{"task_0048", overdue}, {"task_0049", overdue}, {"task_0050", overdue}, {"task_0051", overdue}};

  scene.give_max_age(24h);
  CHECK(verdicts(scene.list()) == expected);
  CHECK(scene.list().summary.fine == 4);
  expected.insert({{"task_0052", overdue}, {"task_0053", overdue}});
  scene.give_max_age(6h);
  CHECK(verdicts(scene.list()) == expected);
  CHECK(scene.list().summary.fine == 2);
  expected.insert({"task_0054", overdue});
  scene.give_max_age(1h);
  CHECK(verdicts(scene.list()) == expected);

  const ListSummary summary = scene.list().summary;
  CHECK(summary.stuck == 7);
  CHECK(summary.fine == 1);
  CHECK(summary.repairable == 7);
  CHECK(summary.left_for_max_age == 0);
  CHECK(summary.stuck_by_class == std::map<TaskClass, std::int64_t>{{TaskClass::active, 7}});
  CHECK(summary.fine_by_class == std::map<TaskClass, std::int64_t>{{TaskClass::active, 1}});
  CHECK(summary.by_rule == std::map<Rule, std::int64_t>{{Rule::overdue, 7}});
  CHECK(summary.by_certainty == std::map<Certainty, std::int64_t>{{Certainty::possible, 7}});
}

TEST_CASE("task queue reaps at the threshold that its profile ships") {
  auto scene = task_queue();
  CHECK_FALSE(scene.request.policy.max_age_given);
  CHECK(scene.list().summary.repairable == 7);
  scene.request.policy.reap.reset();
  CHECK(scene.list().summary.repairable == 0);
  CHECK(scene.list().summary.left_for_max_age == 7);
}

TEST_CASE("task queue reads local wall clock times as what they are") {
  auto scene = task_queue();
  const auto items = by_id(scene.list());
  const Finding& oldest = items.at("task_0048").finding;
  CHECK(oldest.since == parse_instant("2025-12-16T22:06:55.999679+08:00", "since"));
  CHECK(oldest.task.times.updated.at == parse_instant("2025-12-16T14:06:55Z", "updated"));
  CHECK(oldest.task.kind == "publish");
  CHECK(oldest.liveness == Liveness::unknown);
}

TEST_CASE("healthy tasks are listed on request with the reason") {
  auto scene = task_queue();
  scene.request.include_fine = true;
  const Listing listing = scene.list();
  CHECK(listing.items.count() == 8);
  const ListItem item = by_id(listing).at("task_0055");
  CHECK(item.fine);
  CHECK(item.finding.note == "started_at 24m ago");
  CHECK(item.finding.since == parse_instant("2025-12-19T16:30:55.992679+08:00", "since"));
  scene.request.selector.rules = {Rule::overdue};
  CHECK(scene.list().items.count() == 7);
}

TEST_CASE("workspace tasks have nine findings and the rest is left alone") {
  auto scene = workspace_tasks();
  const std::string contradiction = "contradiction certain ";
  CHECK(verdicts(scene.list()) == Verdicts{{"572", contradiction + "cancelled " + k_yes},
                                           {"573", contradiction + "succeeded " + k_yes},
                                           {"574", contradiction + "parked " + k_yes},
                                           {"576", "dead probable failed " + k_yes},
                                           {"578", contradiction + "cancelled " + k_yes},
                                           {"579", "missing-finished-time certain cancelled " + k_yes},
                                           {"581", "dead probable failed " + k_yes},
                                           {"582", contradiction + "failed " + k_yes},
                                           {"583", "clock none unchanged " + k_never}});
  const Listing listing = scene.list();
  CHECK(listing.summary.stuck == 8);
  CHECK(listing.summary.clock == 1);
  CHECK(listing.summary.fine == 2);
  CHECK(listing.summary.undecided == 0);
  CHECK(listing.summary.repairable == 8);
  CHECK(listing.warnings.empty());
  const auto items = by_id(listing);
  CHECK(items.at("581").finding.evidence.size() == 3);
  CHECK(items.at("572").finding.also == std::vector<Rule>{Rule::dead});
  CHECK(items.at("573").finding.liveness == Liveness::alive);
}

TEST_CASE("filters choose what is listed and counted") {
  auto scene = workspace_tasks();
  scene.request.selector.certainties = {Certainty::probable};
  CHECK(scene.list().summary.stuck == 2);
  CHECK(scene.list().summary.clock == 0);
  CHECK(scene.list().summary.fine == 2);
  scene.request.selector.rules = {Rule::contradiction};
  CHECK(scene.list().summary.stuck == 0);
  scene.request.selector = {};
  scene.request.selector.ids = {"576", "577", "579", "584", "9999"};
  CHECK(scene.list().summary.stuck == 2);
  CHECK(scene.list().summary.fine == 1);
  scene.request.selector.statuses = {"cancelled"};
  CHECK(scene.list().summary.stuck == 1);
}

TEST_CASE("a worker table without a living worker makes its findings possible") {
  auto scene = workspace_tasks("UPDATE agents SET last_ping_at = '2025-11-07 17:00:00';");
  scene.give_max_age(100h);
  CHECK(verdicts(scene.list()).count("576") == 0);
  scene.request.policy = find_profile("workspace-tasks").policy;
  const Listing listing = scene.list();
  const auto found = verdicts(listing);
  CHECK(found.at("576") == "dead possible failed " + k_needs_max_age);
  CHECK(found.at("575") == "dead possible failed " + std::string{to_string(Repair::hazard)});
  // Its lease ended too, and a lease is no worker table.
  CHECK(found.at("581") == "dead probable failed " + k_yes);
  REQUIRE(listing.warnings.size() == 1);
  CHECK_THAT(listing.warnings[0], Contains("none of the 2 workers in 'agents' is alive"));
}

TEST_CASE("a standby of unknown lag makes findings that rest on liveness possible") {
  auto scene = workspace_tasks();
  scene.connection().be_standby();
  const Listing listing = scene.list();
  CHECK(verdicts(listing).at("581") == "dead possible failed " + k_needs_max_age);
  CHECK(verdicts(listing).at("579") == "missing-finished-time certain cancelled " + k_yes);
  REQUIRE(listing.warnings.size() == 1);
  CHECK_THAT(listing.warnings[0], Contains("standby"));
}

TEST_CASE("a role that may only read lists the same and is told of rows that it cannot see") {
  auto scene = workspace_tasks("ALTER TABLE agents ENABLE ROW LEVEL SECURITY;" + only_reading());
  const Listing listing = scene.list();
  CHECK(verdicts(listing).at("583") == "clock none unchanged " + k_never);
  // Every agent's row is hidden: 577 must not look dead, and 576 no more than possibly.
  CHECK(verdicts(listing).count("577") == 0);
  CHECK(verdicts(listing).at("576") == "dead possible failed " + k_needs_max_age);
  CHECK_THAT(by_id(listing).at("576").finding.note, Contains("row-level security"));
  REQUIRE(listing.warnings.size() == 1);
  CHECK_THAT(listing.warnings[0], Contains("row-level security hides rows of 'public.agents'"));
}

TEST_CASE("cluster tasks rest on the worker that got them last") {
  auto scene = cluster();
  scene.request.policy.evidence = false;
  const auto found = verdicts(scene.list());
  CHECK(found.at("task-1763290006") == "dead probable failed " + k_yes);
  CHECK(found.at("task-1763290009") == "never-assigned probable failed " + k_yes);
  CHECK(found.count("task-1763290004") == 0);
  CHECK(found.count("task-1763290005") == 0);
  scene.request.include_fine = true;
  const auto items = by_id(scene.list());
  CHECK(items.at("task-1763290004").fine);
  CHECK(items.at("task-1763290005").fine);
  CHECK(items.at("task-1763290005").finding.liveness == Liveness::alive);
  CHECK(items.at("task-1763290005").finding.task.worker == "worker-1");
}

TEST_CASE("cluster tasks end as their first result says") {
  auto scene = cluster();
  const auto found = verdicts(scene.list());
  CHECK(found.at("task-1763290004") == "result-over certain succeeded " + k_yes);
  CHECK(found.at("task-1763290008") == "cancel-overwritten certain cancelled " + k_yes);
  CHECK(found.at("task-1763298788") == "duplicate-result certain cancelled " + k_yes);
  CHECK(found.at("task-1763290006") == "dead probable failed " + k_yes);
  CHECK(found.count("task-1763290005") == 0);
}

TEST_CASE("jobs honour cancel requests that nobody else did") {
  auto scene = jobs();
  CHECK(verdicts(scene.list()) == Verdicts{{"job_mctkbw0n_ff38d214", "cancel-requested certain cancelled " + k_yes},
                                           {"job_mctkc3aa_33334444", "cancel-requested certain cancelled " + k_yes},
                                           {"job_mctkc4bb_55556666", "overdue possible failed " + k_needs_max_age},
                                           {"job_mctkc5cc_77778888", "request-left-behind certain removed " + k_yes}});
  const auto items = by_id(scene.list());
  CHECK(items.at("job_mctkc3aa_33334444").finding.request_reason == "Client disconnected");
  CHECK(items.at("job_mctkc3aa_33334444").finding.task.task_class == TaskClass::queued);
  scene.give_max_age(1h);
  CHECK(verdicts(scene.list()).at("job_mctkc4bb_55556666") == "overdue possible failed " + k_yes);
}

TEST_CASE("queued tasks are read when a threshold is set for them") {
  auto scene = jobs();
  scene.database().exec("DELETE FROM pending_cancellations");
  CHECK(scene.list().summary.stuck == 1);
  scene.request.policy.queued_max_age = 10min;
  CHECK(verdicts(scene.list()).at("job_mctkc3aa_33334444") ==
        "waiting possible undecided " + std::string{to_string(Repair::needs_outcome)});
}

TEST_CASE("a settling task is fine and shown on request only") {
  auto scene = task_queue();
  scene.database().exec(
      "UPDATE task_queue SET completed_at = '2025-12-19 08:54:40', updated_at = '2025-12-19 08:54:40' "
      "WHERE task_id = 'task_0048'");
  const Listing listing = scene.list();
  CHECK(verdicts(listing).count("task_0048") == 0);
  CHECK(listing.summary.settling == 1);
  CHECK(listing.summary.stuck == 6);
  CHECK(listing.summary.fine == 2);
  scene.request.include_fine = true;
  CHECK(verdicts(scene.list()).at("task_0048") == "settling none unchanged " + k_never);
}

TEST_CASE("a listing is read again once when somebody holds a lock") {
  auto scene = task_queue();
  scene.connection().be_busy(1);
  const Listing listing = scene.list();
  CHECK(listing.summary.stuck == 7);
  CHECK(listing.items.count() == 7);
  CHECK(scene.connection().begins() == 2);
  CHECK_FALSE(scene.connection().in_transaction());
  scene.connection().be_busy(2);
  CHECK_THROWS_AS(scene.list(), BusyError);
  CHECK_FALSE(scene.connection().in_transaction());
}

TEST_CASE("one task is inspected with every column and every rule") {
  auto scene = workspace_tasks();
  const auto report = scene.inspect("575");
  REQUIRE(report);
  CHECK(report->now == parse_instant("2025-11-07T12:00:00Z", "now"));
  CHECK_FALSE(report->judgement.finding);
  CHECK(report->judgement.verdicts.size() == k_task_rules.size());
  CHECK(report->judgement.liveness.liveness == Liveness::alive);
  CHECK_THAT(report->judgement.fine_because, Contains("alive: worker agent-pool"));
  REQUIRE(report->facts.image);
  REQUIRE(report->facts.image->find("stage") != nullptr);
  CHECK(*report->facts.image->find("stage") == Value{"applying"});
  CHECK(report->facts.hazards == std::vector<bool>{true});
  CHECK_FALSE(scene.inspect("999"));
  CHECK(scene.inspect("584")->judgement.fine_because.empty());
}

TEST_CASE("an id that is not a number is unknown and not an error") {
  auto scene = workspace_tasks();
  CHECK_FALSE(scene.inspect("57'6"));
  CHECK_FALSE(scene.inspect(""));
}
