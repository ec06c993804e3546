#include "engine/applier.hpp"

#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "contract/repair_scene.hpp"

using namespace taskctl;
using namespace taskctl::test;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

using Statuses = std::map<std::string, std::int64_t>;

}  // namespace

TEST_CASE("reconcile of the task queue fixture writes exactly the seven rows") {
  RepairScene scene{temp_sqlite(fixture("task_queue.sqlite.sql")), find_profile("task-queue"),
                    "2025-12-19T16:54:56+08:00"};
  const auto untouched = [&] {
    return scene.database().query(
        "SELECT * FROM task_queue WHERE task_id NOT BETWEEN 'task_0048' AND 'task_0054' ORDER BY id");
  };
  const auto columns_left_alone = [&] {
    return scene.database().query(
        "SELECT id, task_id, task_type, priority, data, result, retry_count, max_retries, created_at, started_at FROM "
        "task_queue ORDER BY id");
  };
  const auto others = untouched();
  const auto alone = columns_left_alone();
  const Plan plan = scene.reconcile();
  REQUIRE(plan.size() == 7);
  const ApplyResult result = scene.apply(plan);
  CHECK(result.run.applied == 7);
  CHECK(result.run.state == RunState::done);
  CHECK(result.reports.empty());
  CHECK(result.status_after == Statuses{{"failed", 13}, {"running", 1}, {"success", 41}});
  CHECK(untouched() == others);
  CHECK(columns_left_alone() == alone);
  for (const Cells& row : scene.database().query("SELECT status, completed_at, updated_at, error_message FROM "
                                                 "task_queue WHERE task_id BETWEEN 'task_0048' AND 'task_0054'")) {
    CHECK(row[0] == "failed");
    CHECK(row[1] == "2025-12-19 08:54:56");
    CHECK(row[2] == "2025-12-19 08:54:56");
    CHECK_THAT(*row[3], StartsWith("ended as stuck"));
  }
  check_journal_matches_rows(scene, result.run.id, 7);
  CHECK(scene.journal().find_run(result.run.id)->applied == 7);
  CHECK(scene.reconcile().empty());
}

TEST_CASE("reconcile of the workspace fixture repairs what is decided and nothing else") {
  RepairScene scene{temp_postgres(fixture("workspace_tasks.postgres.sql")), find_profile("workspace-tasks"),
                    "2025-11-07T20:00:00+08:00"};
  const auto untouched = [&] {
    return scene.database().query(
        "SELECT * FROM workspace_tasks WHERE id NOT IN (572, 573, 574, 576, 578, 579, 581, 582) ORDER BY id");
  };
  const auto workspaces = [&](const std::string& condition) {
    return scene.database().query("SELECT * FROM workspaces WHERE " + condition + " ORDER BY id");
  };
  const auto others = untouched();
  const auto other_workspaces = workspaces("workspace_id <> 'ws-lock'");
  scene.policy.max_age_given = false;
  const ApplyResult result = scene.apply(scene.reconcile());
  CHECK(result.run.applied == 8);
  CHECK(result.reports.empty());
  CHECK(untouched() == others);
  CHECK(workspaces("workspace_id <> 'ws-lock'") == other_workspaces);
  const auto row = [&](const std::string& id) {
    return scene.database().query("SELECT status, completed_at, updated_at FROM workspace_tasks WHERE id = " + id)[0];
  };
  CHECK(row("576") == Cells{"failed", "2025-11-07 20:00:00", "2025-11-07 20:00:00"});
  CHECK(row("581") == Cells{"failed", "2025-11-07 20:00:00", "2025-11-07 20:00:00"});
  CHECK(row("574") == Cells{"apply_pending", std::nullopt, "2025-11-07 20:00:00"});
  CHECK(row("579") == Cells{"cancelled", "2025-11-06 18:00:00", "2025-11-06 18:00:00"});
  CHECK(row("572") == Cells{"cancelled", "2025-11-07 17:28:47.687091", "2025-11-07 20:00:00"});
  CHECK(row("573") == Cells{"success", "2025-11-07 18:04:00", "2025-11-07 20:00:00"});
  CHECK(row("578") == Cells{"cancelled", "2025-11-07 16:00:00", "2025-11-07 20:00:00"});
  CHECK(row("582") == Cells{"failed", "2025-11-07 19:20:00", "2025-11-07 20:00:00"});
  CHECK(scene.database().value("SELECT error_message FROM workspace_tasks WHERE id = 582") ==
        "[11:19:58.001] [ERROR] Error: Invalid provider configuration");
  CHECK(scene.database().query("SELECT is_locked, locked_by, locked_at, lock_reason FROM workspaces WHERE workspace_id "
                               "= 'ws-lock'")[0] == Cells{"f", std::nullopt, std::nullopt, ""});
  check_journal_matches_rows(scene, result.run.id, 9);
}

TEST_CASE("inserts updates and deletes of a unit apply together and are journalled") {
  const auto engine = GENERATE(from_range(test::engines()));
  auto scene = queue_scene(engine, 5);
  const ApplyResult result = scene.apply(scene.reconcile(), {.batch_size = 2});
  CHECK(result.run.applied == 5);
  CHECK(result.applied.size() == 5);
  CHECK(result.reports.empty());
  CHECK(scene.database().value("SELECT count(*) FROM tasks WHERE state = 'failed'") == "5");
  CHECK(scene.database().value("SELECT count(*) FROM claims") == "0");
  CHECK(scene.database().value("SELECT sum(running) FROM owners") == "0");
  CHECK(scene.database().value("SELECT count(*) FROM events WHERE what = 'failed'") == "5");
  check_journal_matches_rows(scene, result.run.id, 20);
  CHECK_FALSE(scene.connection().in_transaction());
}

TEST_CASE("texts that look like parts of an array are written journalled and taken back as they are") {
  const auto engine = GENERATE(from_range(test::engines()));
  auto scene = queue_scene(engine, 6);
  scene.database().exec(
      "UPDATE tasks SET extra = CASE id WHEN 1 THEN '{\"a\",b}' WHEN 2 THEN 'NULL' WHEN 3 THEN '' WHEN 4 THEN "
      "'back\\slash' WHEN 5 THEN '\"' END");
  const auto before = scene.everything();
  scene.policy.outcome = Outcome::cancelled;  // only updates
  const std::string reason = "{\"it's\", \\, NULL}";
  const Plan plan = plan_reconcile(
      scene.store(),
      {.selector = scene.selector, .policy = scene.policy, .now = scene.now, .reason = reason, .limit = std::nullopt});
  const ApplyResult result = scene.apply(plan, {.batch_size = 4});
  CHECK(result.run.applied == 6);
  CHECK(scene.database().query("SELECT DISTINCT state, note FROM tasks") ==
        std::vector<Cells>{Cells{"cancelled", reason}});
  check_journal_matches_rows(scene, result.run.id, 6);
  CHECK(scene.apply(scene.undo(result.run.id)).run.applied == 6);
  CHECK(scene.everything() == before);
}

TEST_CASE("a plan is applied once and only where it was made") {
  const auto engine = GENERATE(from_range(test::engines()));
  auto scene = queue_scene(engine, 2);
  const auto code_of = [&](const Plan& plan) {
    try {
      scene.apply(plan);
    } catch (const Error& error) {
      return error.code();
    }
    return ExitCode::ok;
  };
  Plan plan = scene.reconcile();
  Plan other = scene.reconcile();
  other.identity += "x";
  CHECK(code_of(other) == ExitCode::stale);
  other = scene.reconcile();
  other.schema_fingerprint = "changed";
  CHECK(code_of(other) == ExitCode::stale);
  CHECK(code_of(plan) == ExitCode::ok);
  // Put the rows back by hand: only the nonce is left to tell.
  scene.database().exec(
      "UPDATE tasks SET state = 'running', finished_at = NULL, note = NULL; DELETE FROM events;"
      "INSERT INTO claims SELECT id, 'node-1', '2025-06-01 10:00:00' FROM tasks;"
      "UPDATE owners SET running = 1;");
  CHECK(code_of(plan) == ExitCode::stale);
  CHECK_FALSE(scene.connection().in_transaction());
  CHECK(scene.state_of("1") == "running");
}

TEST_CASE("tasks that moved on are not written") {
  const auto engine = GENERATE(from_range(test::engines()));
  auto scene = queue_scene(engine, 4);
  const Plan plan = scene.reconcile();
  scene.database().exec(
      "UPDATE tasks SET state = 'done' WHERE id = 1; DELETE FROM tasks WHERE id = 2;"
      "UPDATE tasks SET started_at = '2025-06-01 11:59:00' WHERE id = 3");
  const ApplyResult result = scene.apply(plan);
  CHECK(result.run.applied == 1);
  CHECK(result.run.moved_on == 3);
  CHECK_THAT(report_on(result, "1").detail, Contains("its status is 'done'"));
  CHECK(report_on(result, "2").detail == "row is gone");
  CHECK_THAT(report_on(result, "3").detail, Contains("started_at"));
  CHECK(scene.state_of("1") == "done");
  CHECK(scene.state_of("3") == "running");
  CHECK(scene.database().value("SELECT count(*) FROM claims") == "3");
}

TEST_CASE("a run that changes nothing leaves no row in the journal") {
  const auto engine = GENERATE(from_range(test::engines()));
  auto scene = queue_scene(engine, 1);
  const Plan plan = scene.reconcile();
  scene.database().exec("UPDATE tasks SET state = 'done'");
  const ApplyResult result = scene.apply(plan);
  CHECK(result.run.moved_on == 1);
  CHECK(scene.journal().runs(10).empty());
}

TEST_CASE("a change to any column between plan and apply is a conflict that names it") {
  const auto engine = GENERATE(from_range(test::engines()));
  const std::string column = GENERATE("note", "owner", "extra", "started_at");
  auto scene = queue_scene(engine, 2);
  const Plan plan = scene.reconcile();
  const std::string value = column == "started_at" ? "2025-06-01 09:00:00" : "mine";
  scene.database().exec("UPDATE tasks SET " + column + " = '" + value + "' WHERE id = 1");
  const auto before = scene.database().query("SELECT * FROM tasks WHERE id = 1");
  const ApplyResult result = scene.apply(plan);
  CHECK(result.run.applied == 1);
  CHECK(result.run.conflicts == 1);
  CHECK(report_on(result, "1").result == UnitResult::conflict);
  CHECK_THAT(report_on(result, "1").detail, Contains("column '" + column + "' is '" + value + "' instead of"));
  CHECK(scene.database().query("SELECT * FROM tasks WHERE id = 1") == before);
  CHECK(scene.database().value("SELECT count(*) FROM claims WHERE task_id = 1") == "1");
  CHECK(scene.state_of("2") == "failed");
}

TEST_CASE("a companion row that differs or is gone is a conflict of the whole unit") {
  const auto engine = GENERATE(from_range(test::engines()));
  auto scene = queue_scene(engine, 3);
  const Plan plan = scene.reconcile();
  scene.database().exec("UPDATE owners SET running = 4 WHERE name = 'o1'; DELETE FROM claims WHERE task_id = 2");
  const ApplyResult result = scene.apply(plan);
  CHECK(result.run.applied == 1);
  CHECK(result.run.conflicts == 2);
  CHECK_THAT(report_on(result, "1").detail, Contains("name=o1") && Contains("column 'running' is '4' instead of '1'"));
  CHECK_THAT(report_on(result, "2").detail, Contains("task_id=2") && Contains("is gone"));
  CHECK(scene.state_of("1") == "running");
  CHECK(scene.state_of("2") == "running");
}

TEST_CASE("two tasks that share a companion row do not overwrite each other") {
  const auto engine = GENERATE(from_range(test::engines()));
  auto scene = queue_scene(engine, 2, "UPDATE tasks SET owner = 'o1'; UPDATE owners SET running = 2 WHERE name = 'o1'");
  const Plan plan = scene.reconcile();
  ApplyResult result = scene.apply(plan);
  CHECK(result.run.applied == 1);
  CHECK(result.run.conflicts == 1);
  CHECK(scene.database().value("SELECT running FROM owners WHERE name = 'o1'") == "1");
  // The re-plan goes on with the same run.
  RunRecord run = result.run;
  run.conflicts = 0;
  const Plan again = replan(scene.store(), plan, {report_on(result, result.reports.at(0).task).task});
  result = Applier{scene.store(), scene.journal(), {}}.apply(again, run);
  CHECK(result.run.applied == 2);
  CHECK(scene.database().value("SELECT running FROM owners WHERE name = 'o1'") == "0");
  CHECK(scene.journal().runs(10).size() == 1);
  CHECK(scene.journal().find_run(run.id)->applied == 2);
  CHECK(scene.entries(run.id).size() == 8);
  CHECK(scene.entries(run.id).back().sequence == 8);
}

TEST_CASE("a row that breaks a constraint fails alone") {
  const auto engine = GENERATE(from_range(test::engines()));
  // Planned from 0: the CHECK on owners refuses -1, after three changes of the unit were written.
  auto scene = queue_scene(engine, 4, "UPDATE owners SET running = 0 WHERE name = 'o2'");
  const auto before = scene.database().query("SELECT * FROM tasks WHERE id = 2");
  const ApplyResult result = scene.apply(scene.reconcile());
  CHECK(result.run.applied == 3);
  CHECK(result.run.failed == 1);
  CHECK(report_on(result, "2").result == UnitResult::failed);
  CHECK_THAT(report_on(result, "2").detail, Contains("running") || Contains("CHECK"));
  CHECK(scene.database().query("SELECT * FROM tasks WHERE id = 2") == before);
  CHECK(scene.database().value("SELECT count(*) FROM claims") == "1");
  CHECK(scene.database().value("SELECT count(*) FROM events") == "3");
  check_journal_matches_rows(scene, result.run.id, 12);
}

TEST_CASE("a constraint that is checked at commit fails its own unit") {
  const auto engine = GENERATE(from_range(test::engines()));
  auto scene = queue_scene(engine, 3,
                           "CREATE TABLE proofs (task_id integer REFERENCES claims (task_id) DEFERRABLE INITIALLY "
                           "DEFERRED); INSERT INTO proofs VALUES (2)");
  scene.connection().run(engine == Engine::sqlite ? "PRAGMA foreign_keys = ON" : "SELECT 1");
  const ApplyResult result = scene.apply(scene.reconcile());
  CHECK(result.run.applied == 2);
  CHECK(result.run.failed == 1);
  CHECK(report_on(result, "2").result == UnitResult::failed);
  CHECK(scene.state_of("2") == "running");
  CHECK(scene.state_of("3") == "failed");
  CHECK_FALSE(scene.connection().in_transaction());
  check_journal_matches_rows(scene, result.run.id, 8);
}

TEST_CASE("what a trigger changes is told and journalled") {
  const auto engine = GENERATE(from_range(test::engines()));
  const std::string trigger =
      engine == Engine::sqlite
          ? "CREATE TRIGGER mark AFTER UPDATE OF state ON tasks BEGIN UPDATE tasks SET extra = 'touched' WHERE id = "
            "new.id; END"
          : "CREATE FUNCTION mark() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN new.extra = 'touched'; RETURN new; "
            "END$$; CREATE TRIGGER mark BEFORE UPDATE ON tasks FOR EACH ROW EXECUTE FUNCTION mark()";
  auto scene = queue_scene(engine, 2, trigger);
  const Plan plan = scene.reconcile();
  CHECK(plan.warnings ==
        std::vector<std::string>{"'tasks' has triggers that profile 'queue' does not name (mark): what "
                                 "they do is not in the plan"});
  const ApplyResult result = scene.apply(plan);
  CHECK(result.run.applied == 2);
  REQUIRE(result.reports.size() == 2);
  const UnitReport& report = report_on(result, "1");
  CHECK(report.result == UnitResult::applied);
  REQUIRE(report.side_effects.size() == 1);
  CHECK(report.side_effects[0].column == "extra");
  CHECK(to_display(report.side_effects[0].actual) == "touched");
  check_journal_matches_rows(scene, result.run.id, 8);
  CHECK(scene.entries(result.run.id)[0].side_effects.size() == 1);
}

TEST_CASE("a trigger that swallows the write leaves the unit unwritten") {
  const auto engine = GENERATE(from_range(test::engines()));
  const std::string trigger =
      engine == Engine::sqlite
          ? "CREATE TRIGGER keep BEFORE DELETE ON claims WHEN old.task_id = 1 BEGIN SELECT raise(IGNORE); END"
          : "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN IF old.task_id = 1 THEN RETURN NULL; "
            "END IF; RETURN old; END$$; CREATE TRIGGER keep BEFORE DELETE ON claims FOR EACH ROW EXECUTE FUNCTION "
            "keep()";
  auto scene = queue_scene(engine, 2, trigger);
  const ApplyResult result = scene.apply(scene.reconcile());
  CHECK(result.run.applied == 1);
  CHECK(report_on(result, "1").result == UnitResult::conflict);
  CHECK(scene.state_of("1") == "running");
  CHECK(scene.database().value("SELECT running FROM owners WHERE name = 'o1'") == "1");
  CHECK(scene.state_of("2") == "failed");
}

TEST_CASE("a derived unit waits when one of its tasks was not changed") {
  const auto engine = GENERATE(from_range(test::engines()));
  const bool moved_on = GENERATE(false, true);
  auto scene = queue_scene(engine, 3, "INSERT INTO owners VALUES ('total', 3)");
  Plan plan = scene.reconcile();
  const PlanUnit first = plan.unit(0);
  PlanUnit derived;
  derived.task = "owners name=total";
  derived.depends_on = {0, 2};
  Change change = first.changes.at(3);
  change.key.values = {std::string{"total"}};
  change.before->set("name", std::string{"total"});
  const bool sqlite = engine == Engine::sqlite;
  change.before->set("running", sqlite ? Value{std::int64_t{3}} : Value{std::string{"3"}});
  change.after = change.before;
  change.after->set("running", sqlite ? Value{std::int64_t{0}} : Value{std::string{"0"}});
  derived.changes = {change};
  plan.append(derived);
  if (moved_on) {
    scene.database().exec("UPDATE tasks SET state = 'done' WHERE id = 3");
  }
  const ApplyResult result = scene.apply(plan, {.batch_size = 1});
  CHECK(result.run.applied == (moved_on ? 2 : 4));
  CHECK(scene.database().value("SELECT running FROM owners WHERE name = 'total'") == (moved_on ? "3" : "0"));
  if (moved_on) {
    CHECK(report_on(result, derived.task).result == UnitResult::waiting);
  }
}

TEST_CASE("a hazard that appeared since the plan is refused") {
  const auto engine = GENERATE(from_range(test::engines()));
  auto scene = queue_scene(engine, 2, "UPDATE tasks SET state = 'queued' WHERE id = 2");
  const Plan reconcile = scene.reconcile();
  const Plan cancel = scene.cancel({"1", "2"}, false);
  scene.database().exec("UPDATE tasks SET risky = 1 WHERE id = 1; UPDATE tasks SET state = 'running' WHERE id = 2");
  ApplyResult result = scene.apply(reconcile);
  CHECK(report_on(result, "1").result == UnitResult::refused);
  CHECK_THAT(report_on(result, "1").detail, Contains("risky"));
  result = scene.apply(cancel);
  CHECK(report_on(result, "2").result == UnitResult::refused);
  CHECK_THAT(report_on(result, "2").detail, Contains("--force"));
  CHECK(scene.journal().runs(5).empty());
}

TEST_CASE("cancel finds tasks that have ended meanwhile") {
  const auto engine = GENERATE(from_range(test::engines()));
  auto scene = queue_scene(engine, 2);
  const Plan plan = scene.cancel({"1", "2"}, true);
  scene.database().exec("UPDATE tasks SET state = 'done' WHERE id = 1");
  const ApplyResult result = scene.apply(plan);
  CHECK(report_on(result, "1").result == UnitResult::moved_on);
  CHECK(result.applied == std::vector<std::string>{"2"});
  CHECK(scene.state_of("2") == "failed");
}

TEST_CASE("a postgres row that somebody holds is busy and the others are done") {
  auto scene = queue_scene(Engine::postgres, 3);
  const Plan plan = scene.reconcile();
  scene.database().exec(
      "BEGIN; SELECT * FROM tasks WHERE id = 1 FOR UPDATE; UPDATE owners SET running = 9 WHERE name "
      "= 'o2'");
  const ApplyResult result = scene.apply(plan);
  scene.database().exec("ROLLBACK");
  CHECK(result.run.applied == 1);
  CHECK(result.run.busy == 2);
  CHECK(report_on(result, "1").result == UnitResult::busy);
  CHECK_THAT(report_on(result, "2").detail, Contains("name=o2"));
  CHECK(scene.state_of("3") == "failed");
}

TEST_CASE("a write that waits for another session is bounded and hurts only its unit") {
  auto scene = queue_scene(Engine::postgres, 3, "ALTER TABLE events ADD UNIQUE (task_id)");
  const Plan plan = scene.reconcile();
  scene.database().exec("BEGIN; INSERT INTO events (task_id, what) VALUES (2, 'mine')");
  const auto started = std::chrono::steady_clock::now();
  const ApplyResult result = scene.apply(plan);
  scene.database().exec("ROLLBACK");
  CHECK(std::chrono::steady_clock::now() - started < 10s);
  CHECK(result.run.applied == 2);
  CHECK(report_on(result, "2").result == UnitResult::busy);
  CHECK(scene.state_of("2") == "running");
  CHECK_FALSE(scene.connection().in_transaction());
}

TEST_CASE("a lock on everything ends in busy within a bounded time") {
  const auto engine = GENERATE(from_range(test::engines()));
  auto scene = queue_scene(engine, 30);
  scene.journal().create();
  const Plan plan = scene.reconcile();
  scene.database().exec(engine == Engine::sqlite ? "BEGIN IMMEDIATE" : "BEGIN; LOCK TABLE tasks");
  const auto started = std::chrono::steady_clock::now();
  // Counting the tasks afterwards needs the lock to be gone in PostgreSQL.
  const ApplyResult result = scene.apply(
      plan, {.batch_size = 3, .progress = [&scene, released = false](const ApplyProgress& progress) mutable {
               if (!released && progress.done == progress.total) {
                 scene.database().exec("ROLLBACK");
                 released = true;
               }
             }});
  CHECK(std::chrono::steady_clock::now() - started < 10s);
  CHECK(result.run.applied == 0);
  CHECK(result.run.busy == 30);
  CHECK_FALSE(scene.connection().in_transaction());
  CHECK(scene.journal().runs(1).empty());
}

TEST_CASE("run ids sort by time") {
  const Instant now = parse_instant("2025-11-19T16:54:56Z", "now");
  const std::string id = new_run_id(now);
  CHECK_THAT(id, StartsWith("20251119T165456-"));
  CHECK(id.size() == 22);
  CHECK(new_run_id(now) != id);
  CHECK(new_run_id(now + 1s) > id);
}
