#include "view/json.hpp"

#include <catch2/catch.hpp>
#include <limits>

#include "findings.hpp"
#include "view/format.hpp"

using namespace taskctl;
using namespace taskctl::test;

TEST_CASE("a finding has the documented fields in their order") {
  Finding finding = sample_item().finding;
  finding.also = {Rule::never_assigned};
  finding.hazards = {"young"};
  CHECK(
      dump(to_json(finding, sample_now())) ==
      R"({"task":{"id":"task_0048","status":"running","class":"active","kind":"publish","worker":null,"queue":null,)"
      R"("user":null,"started_at":"2025-12-16T14:06:55Z","finished_at":null,"created_at":null,"updated_at":null,)"
      R"("age_seconds":240481},"table":null,"rule":"overdue","certainty":"possible","outcome":"failed","repair":"yes",)"
      R"("evidence":[{"source":"started_at","text":"started 66h48m ago"}],"also":["never-assigned"],)"
      R"("hazards":["young"],"note":""})");
}

TEST_CASE("composite keys are arrays and unreadable times show what was read") {
  CHECK(dump(key_json({{"a", "b"}})) == R"(["a","b"])");
  CHECK(dump(key_json({{"a"}})) == R"("a")");
  TimeFact time{.state = TimeFact::State::unreadable, .at = {}, .raw = "soon"};
  CHECK(dump(time_json(time)) == R"({"unreadable":"soon"})");
  CHECK(dump(time_json({})) == "null");
}

TEST_CASE("values keep their type and their bytes") {
  CHECK(dump(to_json(Value{Null{}})) == "null");
  CHECK(dump(to_json(Value{std::int64_t{9007199254740993}})) == "9007199254740993");
  CHECK(dump(to_json(Value{1.5})) == "1.5");
  CHECK(dump(to_json(Value{Blob{"hi"}})) == R"({"blob":"6869"})");
  CHECK(dump(to_json(Value{-std::numeric_limits<double>::infinity()})) == R"({"real":"-inf"})");
  CHECK(dump(to_json(Value{std::string{"a\xff"}})) == R"({"text":"61ff"})");
}

TEST_CASE("an empty summary still has every field") {
  CHECK(dump(to_json(ListSummary{})) ==
        R"({"stuck":0,"fine":0,"settling":0,"clock":0,"unreadable":0,"repairable":0,"left_for_max_age":0,)"
        R"("undecided":0,"classes":{},"rules":{},"certainty":{}})");
}

TEST_CASE("the summary counts by class rule and certainty") {
  ListSummary summary;
  summary.stuck_by_class = {{TaskClass::active, 7}};
  summary.fine_by_class = {{TaskClass::active, 1}};
  summary.by_rule = {{Rule::overdue, 7}};
  summary.by_certainty = {{Certainty::possible, 7}};
  const Json json = to_json(summary);
  CHECK(dump(json["classes"]) == R"({"active":{"stuck":7,"fine":1}})");
  CHECK(dump(json["rules"]) == R"({"overdue":7})");
  CHECK(dump(json["certainty"]) == R"({"possible":7})");
}

TEST_CASE("a change shows key and both images") {
  const auto columns = std::make_shared<const std::vector<std::string>>(std::vector<std::string>{"id", "status"});
  Change change;
  change.table = {"", "tasks"};
  change.key = {{"id"}, {std::int64_t{1}}};
  change.before = Image{columns, {std::int64_t{1}, std::string{"running"}}};
  change.after = Image{columns, {std::int64_t{1}, std::string{"failed"}}};
  change.written = {"status"};
  CHECK(dump(to_json(change)) ==
        R"({"operation":"update","table":"tasks","key":{"id":1},"before":{"id":1,"status":"running"},)"
        R"("after":{"id":1,"status":"failed"},"written":["status"]})");
  PlanUnit unit;
  unit.task = "1";
  unit.changes = {change};
  const Json json = to_json(unit, sample_now());
  CHECK(json["finding"].is_null());
  CHECK(json["changes"].size() == 1);
  CHECK(json["depends_on"].is_array());
}

TEST_CASE("a run and its entries are records") {
  RunRecord run;
  run.id = "20251219T085456-abcdef";
  run.command = "reconcile";
  run.author = {"root", "", "host", 7};
  run.applied = 3;
  const Json json = to_json(run);
  CHECK(json["author"]["sudo_user"].is_null());
  CHECK(json["author"]["user"] == "root");
  CHECK(json["undoes"].is_null());
  CHECK(json["counts"]["applied"] == 3);
  CHECK(json["finished_at"].is_null());
  JournalEntry entry;
  entry.sequence = 2;
  entry.side_effects = {{"tasks", "updated_at", Null{}, std::string{"now"}}};
  CHECK(to_json(entry)["side_effects"][0]["actual"] == "now");
  CHECK(to_json(entry)["rule"].is_null());
}

TEST_CASE("reports and what was left out") {
  CHECK(dump(to_json(UnitReport{.task = "1", .result = UnitResult::conflict, .detail = "status is 'success'"})) ==
        R"({"task":"1","result":"conflict","detail":"status is 'success'","rule":null,"outcome":null,)"
        R"("side_effects":[]})");
  LeftOut left{.task = "9", .why = LeftOut::Why::hazard, .detail = "applying", .finding = sample_item().finding};
  CHECK(to_json(left)["certainty"] == "possible");
}

TEST_CASE("errors are a record with the code and its name") {
  CHECK(dump(error_json(5, "refused it", "Add --yes.")) ==
        R"({"error":{"code":5,"name":"refused","message":"refused it","hint":"Add --yes."}})");
  CHECK(dump(error_json(130, "stopped", "")) ==
        R"({"error":{"code":130,"name":"signal","message":"stopped","hint":null}})");
}

TEST_CASE("output formats are read back by their names") {
  for (const OutputFormat format : {OutputFormat::table, OutputFormat::json, OutputFormat::jsonl, OutputFormat::csv,
                                    OutputFormat::tsv, OutputFormat::ids}) {
    CHECK(parse_output_format(to_string(format)) == format);
  }
  CHECK_FALSE(parse_output_format("yaml"));
  CHECK_FALSE(parse_output_format("JSON"));
}
