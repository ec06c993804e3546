#include "view/finding_table.hpp"

#include <catch2/catch.hpp>

#include "findings.hpp"
#include "support/streams.hpp"

using namespace taskctl;
using namespace taskctl::test;

namespace {

std::string listing_at(std::size_t width) {
  TableWriter table = finding_table();
  add_finding(table, sample_item(), sample_now());
  ListItem dead = sample_item();
  dead.finding.task.key = {{"a", "b"}};
  dead.finding.task.worker = "agent-000000000000000000000000000000000001";
  dead.finding.rule = Rule::dead;
  dead.finding.certainty = Certainty::probable;
  dead.finding.repair = Repair::hazard;
  dead.finding.hazards = {"applying"};
  add_finding(table, dead, sample_now());
  ListItem fine = sample_item();
  fine.fine = true;
  fine.finding.since.reset();
  fine.finding.task.status.reset();
  add_finding(table, fine, sample_now());
  CapturedStreams captured{{.width = width}};
  table.write(captured.streams);
  return captured.out;
}

}  // namespace

TEST_CASE("findings in a wide terminal") {
  CHECK(listing_at(200) ==
        "ID         KIND     STATUS      AGE  SINCE                 WORKER                                      RULE   "
        "  CERTAINTY  RECONCILE\n"
        "task_0048  publish  running  66h48m  2025-12-16 14:06:55Z  -                                           "
        "overdue  possible   failed\n"
        "[\"a\",\"b\"]  publish  running  66h48m  2025-12-16 14:06:55Z  agent-000000000000000000000000000000000001  "
        "dead     probable   left: hazard applying\n"
        "task_0048  publish  NULL          -  -                     -                                           "
        "fine     -          -\n");
}

TEST_CASE("findings in a terminal of 110 columns cut the longest names only") {
  CHECK(
      listing_at(110) ==
      "ID         KIND     STATUS      AGE  SINCE                 WORKER          RULE     CERTAINTY  RECONCILE\n"
      "task_0048  publish  running  66h48m  2025-12-16 14:06:55Z  -               overdue  possible   failed\n"
      "[\"a\",\"b\"]  publish  running  66h48m  2025-12-16 14:06:55Z  agent-0000000…  dead     probable   left: hazard "
      "a…\n"
      "task_0048  publish  NULL          -  -                     -               fine     -          -\n");
}

TEST_CASE("findings in narrow terminals are folded and every id is whole") {
  const std::string at_80 = listing_at(80);
  CHECK(at_80.find("\n    overdue  possible   failed\n") != std::string::npos);
  CHECK(at_80.find("\n    dead     probable   left: hazard applying\n") != std::string::npos);
  for (const std::string& text : {at_80, listing_at(20)}) {
    CHECK(text.find("task_0048") != std::string::npos);
    CHECK(text.find("agent-000000000000000000000000000000000001") != std::string::npos);
    CHECK(text.find("2025-12-16 14:06:55Z") != std::string::npos);
  }
}

TEST_CASE("what reconcile would do is said in words") {
  Finding finding = sample_item().finding;
  CHECK(repair_words(finding) == "failed");
  finding.repair = Repair::needs_max_age;
  CHECK(repair_words(finding) == "left: needs --max-age");
  finding.repair = Repair::needs_outcome;
  CHECK(repair_words(finding) == "undecided");
  finding.repair = Repair::hazard;
  finding.hazards = {"alive", "young"};
  CHECK(repair_words(finding) == "left: hazard alive, young");
  finding.repair = Repair::never;
  CHECK(repair_words(finding) == "-");
}

TEST_CASE("the summary counts and says how to include what is left") {
  ListSummary summary;
  CHECK(summary_line(summary) == "0 stuck, 0 fine");
  summary.stuck = 7;
  summary.fine = 1;
  summary.repairable = 7;
  summary.by_certainty = {{Certainty::certain, 2}, {Certainty::possible, 5}};
  CHECK(summary_line(summary) == "7 stuck (2 certain, 5 possible), 1 fine; reconcile would repair 7");
  summary.repairable = 3;
  summary.left_for_max_age = 3;
  summary.undecided = 1;
  summary.settling = 1;
  summary.clock = 2;
  summary.unreadable = 4;
  CHECK(summary_line(summary) ==
        "7 stuck (2 certain, 5 possible), 1 fine, 1 of them settling, 2 starting in the future, 4 with an unreadable "
        "time; reconcile would repair 3; 3 left: possible only, add --max-age; 1 undecided: add --outcome");
}

TEST_CASE("changes are shown column by column") {
  const auto columns =
      std::make_shared<const std::vector<std::string>>(std::vector<std::string>{"id", "status", "error"});
  Change change;
  change.before = Image{columns, {std::int64_t{1}, std::string{"running"}, Null{}}};
  change.after = Image{columns, {std::int64_t{1}, std::string{"failed"}, std::string{"line\nbreak"}}};
  change.written = {"status", "error"};
  CHECK(change_lines(change) == std::vector<std::string>{"status: running → failed", "error: NULL → line\\nbreak"});
  change.operation = Operation::insert;
  change.before.reset();
  CHECK(change_lines(change).at(1) == "status: (absent) → failed");
  change.operation = Operation::remove;
  change.before = change.after;
  change.after.reset();
  CHECK(change_lines(change).at(1) == "status: failed → (absent)");
}
