#include "engine/plan.hpp"
#include "engine/row_planner.hpp"

#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "engine/batch_sizer.hpp"

using namespace taskctl;
using namespace std::chrono_literals;

namespace {

Image image_of(std::vector<std::string> columns, std::vector<Value> values) {
  return {std::make_shared<const std::vector<std::string>>(std::move(columns)), std::move(values)};
}

PlanUnit sample_unit(const std::string& task) {
  PlanUnit unit;
  unit.task = task;
  unit.reason = "ended as stuck";
  unit.finding.emplace();
  unit.finding->task.key.parts = {task};
  unit.finding->rule = Rule::dead;
  unit.finding->also = {Rule::overdue};
  unit.finding->hazards = {"young"};
  Change update;
  update.table = {"public", "tasks"};
  update.key = {{"id"}, {std::int64_t{7}}};
  update.before = image_of({"id", "state", "raw"}, {std::int64_t{7}, std::string{"running"}, Blob{"\x00\xff"}});
  update.after = image_of({"id", "state", "raw"}, {std::int64_t{7}, std::string{"failed"}, Null{}});
  update.written = {"state", "raw"};
  Change insert;
  insert.operation = Operation::insert;
  insert.table = {"", "events"};
  insert.after = image_of({"what"}, {-0.5});
  Change remove;
  remove.operation = Operation::remove;
  remove.table = {"", "claims"};
  remove.key = {{"a", "b"}, {std::string{"x"}, Null{}}};
  remove.before = image_of({"a"}, {std::string{"x"}});
  unit.changes = {update, insert, remove};
  return unit;
}

}  // namespace

TEST_CASE("a unit comes back from the spool as it went in") {
  PlanUnit unit = sample_unit("a\"b");
  unit.depends_on = {0, 3};
  const PlanUnit back = decode_unit(encode_unit(unit));
  CHECK(back.task == unit.task);
  CHECK(back.reason == unit.reason);
  CHECK(back.depends_on == unit.depends_on);
  REQUIRE(back.finding);
  CHECK(back.finding->rule == Rule::dead);
  CHECK(back.finding->also == unit.finding->also);
  REQUIRE(back.changes.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(back.changes[i].operation == unit.changes[i].operation);
    CHECK(back.changes[i].table == unit.changes[i].table);
    CHECK(back.changes[i].key == unit.changes[i].key);
    CHECK(back.changes[i].before == unit.changes[i].before);
    CHECK(back.changes[i].after == unit.changes[i].after);
    CHECK(back.changes[i].written == unit.changes[i].written);
  }
  CHECK_THROWS(decode_unit(encode_unit(unit).substr(0, 40)));
}

TEST_CASE("a plan counts its changes and tables") {
  Plan plan;
  CHECK(plan.empty());
  plan.append(sample_unit("1"));
  plan.append(sample_unit("2"));
  CHECK(plan.size() == 2);
  CHECK(plan.change_count() == 6);
  CHECK(plan.tables() == std::vector<TableName>{{"", "claims"}, {"", "events"}, {"public", "tasks"}});
  CHECK(plan.unit(1).task == "2");
  std::string tasks;
  plan.for_each([&tasks](std::size_t index, const PlanUnit& unit) { tasks += std::to_string(index) + unit.task; });
  CHECK(tasks == "0112");
}

TEST_CASE("the hash covers everything a plan says") {
  const auto make = [] {
    Plan plan;
    plan.command = "reconcile";
    plan.identity = "db";
    plan.nonce = "n";
    plan.append(sample_unit("1"));
    return plan;
  };
  const std::string hash = make().hash();
  CHECK(hash.size() == 64);
  CHECK(make().hash() == hash);
  const std::vector<std::function<void(Plan&)>> edits = {
      [](Plan& p) { p.identity = "other"; },
      [](Plan& p) { p.nonce = "m"; },
      [](Plan& p) { p.now += 1us; },
      [](Plan& p) { p.given_now = Instant{}; },
      [](Plan& p) { p.force = true; },
      [](Plan& p) { p.policy.accepted_hazards = {"alive"}; },
      [](Plan& p) { p.policy.max_age_given = true; },
      [](Plan& p) { p.selector.kinds = {"x"}; },
      [](Plan& p) { p.selector.queues = {"x"}; },
      [](Plan& p) { p.schema_fingerprint = "f"; },
      [](Plan& p) { p.undoes = "r"; },
      [](Plan& p) { p.leave_out({.task = "9", .why = LeftOut::Why::hazard, .detail = "", .finding = {}}); },
      [](Plan& p) { p.append(sample_unit("2")); },
  };
  for (const auto& edit : edits) {
    Plan plan = make();
    edit(plan);
    CHECK(plan.hash() != hash);
  }
}

TEST_CASE("batches keep units with what they depend on") {
  Plan plan;
  for (int i = 0; i < 6; ++i) {
    PlanUnit unit = sample_unit(std::to_string(i));
    if (i == 3) {
      unit.depends_on = {1};
    }
    if (i == 4) {
      unit.depends_on = {3};
    }
    plan.append(unit);
  }
  CHECK(plan.batch_end(0, 1) == 1);
  CHECK(plan.batch_end(0, 2) == 5);  // 1 brings 3, and 3 brings 4
  CHECK(plan.batch_end(1, 1) == 5);
  CHECK(plan.batch_end(5, 1) == 6);
  CHECK(plan.batch_end(0, 0) == 1);
  CHECK(plan.batch_end(0, 100) == 6);
  PlanUnit bad = sample_unit("bad");
  bad.depends_on = {6};
  CHECK_THROWS_AS(plan.append(bad), Error);
}

TEST_CASE("tasks that are left out are counted beyond those kept") {
  Plan plan;
  for (std::size_t i = 0; i < Plan::k_left_out_kept + 5; ++i) {
    plan.leave_out({.task = "t", .why = LeftOut::Why::over_limit, .detail = "", .finding = {}});
  }
  CHECK(plan.left_out.size() == Plan::k_left_out_kept);
  CHECK(plan.left_out_counts.at(LeftOut::Why::over_limit) == 10'005);
  CHECK(to_string(LeftOut::Why::needs_max_age) == "needs-max-age");
}

TEST_CASE("the batch size follows the measured time") {
  BatchSizer sizer{100, {.alone = 50ms, .shared = 3ms}};
  CHECK(sizer.size() == 100);
  sizer.measured(100, 10ms);  // room for 500, but half as many again at most
  CHECK(sizer.size() == 151);
  sizer.measured(151, 1510ms);
  CHECK(sizer.size() < 30);
  CHECK(sizer.size() >= 5);
  const std::size_t before = sizer.size();
  sizer.was_busy();
  CHECK(sizer.size() == before / 2);
  for (int i = 0; i < 40; ++i) {
    sizer.measured(sizer.size(), 100s);
  }
  CHECK(sizer.size() == 1);
  for (int i = 0; i < 80; ++i) {
    sizer.measured(sizer.size(), 1us);
  }
  CHECK(sizer.size() == 5000);
}

TEST_CASE("the batch size beside others who write is smaller until nobody has written for a second") {
  const auto begin = std::chrono::steady_clock::time_point{};
  BatchSizer sizer{100, {.alone = 50ms, .shared = 3ms}};
  CHECK_FALSE(sizer.is_shared());
  sizer.noticed(true, begin);
  CHECK(sizer.is_shared());
  sizer.measured(100, 10ms);
  CHECK(sizer.size() == 30);
  CHECK(sizer.room() == 20ms);
  sizer.noticed(false, begin + 900ms);
  sizer.measured(30, 10s);
  CHECK(sizer.size() == 5);
  CHECK(sizer.room() == 50ms);
  sizer.noticed(false, begin + 1s);
  CHECK_FALSE(sizer.is_shared());
  sizer.measured(5, 10s);
  CHECK(sizer.size() == 1);
}

TEST_CASE("a batch size that was asked for stays") {
  BatchSizer fixed{Engine::postgres, 7};
  CHECK(fixed.room() == 20ms);
  fixed.measured(7, 10s);
  fixed.was_busy();
  CHECK(fixed.size() == 7);
}

TEST_CASE("big plans follow their derived rows in no more than a few parts") {
  CHECK(derived_chunk(0) == 200);
  CHECK(derived_chunk(8000) == 200);
  CHECK(derived_chunk(40'000) == 1000);
  CHECK(derived_chunk(10'000'000) == 2000);
}
