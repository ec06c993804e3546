#include "store/journal.hpp"

#include <cmath>
#include <limits>

#include <catch2/catch.hpp>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/timestamp.hpp"
#include "support/databases.hpp"

using namespace taskctl;
using namespace taskctl::test;
using Catch::Matchers::Contains;

namespace {

Image image_of(std::vector<std::string> columns, std::vector<Value> values) {
  return {std::make_shared<const std::vector<std::string>>(std::move(columns)), std::move(values)};
}

Instant at(const std::string& text) {
  return parse_instant(text, "test");
}

RunRecord sample_run(const std::string& id, const std::string& command = "reconcile") {
  RunRecord run;
  run.id = id;
  run.command = command;
  run.started = at("2025-11-19T16:54:56.123456Z");
  run.author = {.user = "root", .sudo_user = "o'neil", .host = "host", .pid = 4711};
  run.reason = "because \"so\"; DROP TABLE x --";
  run.arguments = "taskctl reconcile --yes";
  run.version = "0.1.0";
  run.profile = "queue";
  run.profile_hash = "ph";
  run.plan_hash = "lh";
  run.plan_nonce = "nonce-" + id;
  run.backup = "/backups/a b.db";
  run.detection_now = at("0001-01-01T00:00:00Z");
  run.applied = 3;
  return run;
}

JournalEntry sample_entry(std::int64_t sequence, const std::string& task) {
  JournalEntry entry;
  entry.sequence = sequence;
  entry.task = task;
  entry.rule = "overdue";
  entry.outcome = "failed";
  entry.change.table = {"", "tasks"};
  entry.change.key = {{"id"}, {Value{std::string{"7"}}}};
  entry.change.before = image_of({"id", "state", "note"}, {std::string{"7"}, std::string{"running"}, Null{}});
  entry.change.after = image_of({"id", "state", "note"}, {std::string{"7"}, std::string{"failed"}, std::string{"ü"}});
  entry.change.written = {"state", "note"};
  entry.side_effects = {{"tasks", "note", Null{}, std::string{"changed"}}};
  entry.applied_at = at("2025-11-19T16:54:57Z");
  return entry;
}

void insert(Journal& journal, Connection& connection, const RunRecord& run, const std::vector<JournalEntry>& entries) {
  Transaction transaction{connection, Access::write};
  journal.insert_run(run);
  journal.insert_changes(run.id, entries);
  transaction.commit();
}

std::vector<JournalEntry> changes_of(Journal& journal, const std::string& run, bool newest_first) {
  std::vector<JournalEntry> all;
  journal.read_changes(
      run, [&all](JournalEntry&& entry) { all.push_back(std::move(entry)); }, newest_first);
  return all;
}

}  // namespace

TEST_CASE("image codec gives back every value bit for bit") {
  using Limits = std::numeric_limits<std::int64_t>;
  const std::string invalid{"\xff\xfe tail"};
  const std::string with_nul{"a\0b", 3};
  const Image image =
      image_of({"null", "min", "max", "zero", "real", "whole", "huge", "tiny", "inf", "minus inf", "text", "empty",
                "invalid", "nul", "quote\"d", "blob", "empty blob", "looks like a blob", "nan text"},
               {Null{}, Limits::min(), Limits::max(), std::int64_t{0}, 0.1, 1.0, 1e300, 5e-324,
                std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(),
                std::string{"naïve 任务"}, std::string{}, invalid, with_nul, std::string{"\"\\\n\x01"},
                Blob{std::string{"\0\xff", 2}}, Blob{}, std::string{R"({"blob":"00"})"}, std::string{"NaN"}});
  const Image back = decode_image(encode_image(image));
  CHECK(*back.columns == *image.columns);
  REQUIRE(back.values.size() == image.values.size());
  for (std::size_t i = 0; i < image.values.size(); ++i) {
    INFO(image.columns->at(i));
    CHECK(back.values[i] == image.values[i]);
  }
}

TEST_CASE("image codec keeps the sign of zero and knows nan") {
  const Image back = decode_image(encode_image(image_of({"a", "b"}, {-0.0, std::nan("")})));
  CHECK(std::signbit(std::get<double>(back.values[0])));
  CHECK(std::get<double>(back.values[0]) == 0.0);
  CHECK(std::isnan(std::get<double>(back.values[1])));
}

TEST_CASE("image codec refuses what it did not write") {
  const std::string text = GENERATE("", "{", "[1]x", R"({"a":{"blob":"0g"}})", R"({"a":{"other":"00"}})",
                                    R"({"a":{"real":"big"}})", R"({"a":[1]})", R"({"a":true})");
  INFO(text);
  CHECK_THROWS_AS(decode_image(text), Error);
}

TEST_CASE("an absent journal is an empty one") {
  const auto engine = GENERATE(from_range(test::engines()));
  const auto database = temp_database(engine, "CREATE TABLE tasks (id integer)");
  const auto connection = database->open(Access::read);
  Journal journal{*connection};
  CHECK_FALSE(journal.exists());
  CHECK(journal.uuid().empty());
  CHECK(journal.runs(10).empty());
  CHECK_FALSE(journal.find_run("2025"));
  CHECK_FALSE(journal.last_undoable());
  CHECK(journal.undone_by("x").empty());
  CHECK(changes_of(journal, "x", false).empty());
  CHECK_FALSE(connection->in_transaction());
}

TEST_CASE("creating the journal twice keeps its uuid and version") {
  const auto engine = GENERATE(from_range(test::engines()));
  const auto database = temp_database(engine, "CREATE TABLE tasks (id integer)");
  const auto connection = database->open(Access::write);
  Journal journal{*connection};
  journal.create();
  CHECK(journal.exists());
  const std::string uuid = journal.uuid();
  CHECK(uuid.size() == 36);
  journal.create();
  CHECK(journal.uuid() == uuid);
  CHECK_FALSE(connection->in_transaction());
  const std::string schema = engine == Engine::sqlite ? "" : "taskctl.";
  CHECK(database->value("SELECT value FROM " + schema + "taskctl_meta WHERE name = 'journal_version'") == "1");
  database->exec("UPDATE " + schema + "taskctl_meta SET value = '2' WHERE name = 'journal_version'");
  CHECK_THROWS_WITH(journal.create(), Contains("version '2'"));
  CHECK_THROWS_WITH(journal.runs(1), Contains("version '2'"));
}

TEST_CASE("a run and its changes come back as they were written") {
  const auto engine = GENERATE(from_range(test::engines()));
  const auto database = temp_database(engine, "CREATE TABLE tasks (id integer)");
  const auto connection = database->open(Access::write);
  Journal journal{*connection};
  journal.create();
  RunRecord run = sample_run("20251119T165456-3fa9c1");
  JournalEntry inserted = sample_entry(2, "task \"2\"");
  inserted.change.operation = Operation::insert;
  inserted.change.before.reset();
  JournalEntry deleted = sample_entry(3, "x");
  deleted.change.operation = Operation::remove;
  deleted.change.after.reset();
  deleted.rule.clear();
  insert(journal, *connection, run, {sample_entry(1, "7"), inserted, deleted});
  run.state = RunState::done;
  run.finished = at("2025-11-19T17:00:00.5Z");
  run.conflicts = 2;
  {
    Transaction transaction{*connection, Access::write};
    CHECK(journal.last_sequence(run.id) == 3);
    journal.update_run(run);
    transaction.commit();
  }
  const std::optional<RunRecord> read = journal.find_run(run.id);
  REQUIRE(read);
  CHECK(read->state == RunState::done);
  CHECK(read->started == run.started);
  CHECK(read->finished == run.finished);
  CHECK(read->detection_now == run.detection_now);
  CHECK(read->author.sudo_user == "o'neil");
  CHECK(read->author.pid == 4711);
  CHECK(read->reason == run.reason);
  CHECK(read->backup == run.backup);
  CHECK(read->applied == 3);
  CHECK(read->conflicts == 2);
  const std::vector<JournalEntry> changes = changes_of(journal, run.id, false);
  REQUIRE(changes.size() == 3);
  CHECK(changes[0].change.before == sample_entry(1, "7").change.before);
  CHECK(changes[0].change.after == sample_entry(1, "7").change.after);
  CHECK(changes[0].change.key == sample_entry(1, "7").change.key);
  CHECK(changes[0].change.written == std::vector<std::string>{"state", "note"});
  CHECK(changes[0].applied_at == at("2025-11-19T16:54:57Z"));
  REQUIRE(changes[0].side_effects.size() == 1);
  CHECK(is_null(changes[0].side_effects[0].planned));
  CHECK(changes[1].task == "task \"2\"");
  CHECK(changes[1].change.operation == Operation::insert);
  CHECK_FALSE(changes[1].change.before);
  CHECK_FALSE(changes[2].change.after);
  CHECK(changes_of(journal, run.id, true)[0].sequence == 3);
}

TEST_CASE("a plan nonce is accepted once") {
  const auto engine = GENERATE(from_range(test::engines()));
  const auto database = temp_database(engine, "CREATE TABLE tasks (id integer)");
  const auto connection = database->open(Access::write);
  Journal journal{*connection};
  journal.create();
  insert(journal, *connection, sample_run("a"), {});
  RunRecord again = sample_run("b");
  again.plan_nonce = "nonce-a";
  try {
    insert(journal, *connection, again, {});
    FAIL("accepted twice");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::stale);
    CHECK_THAT(error.message(), Contains("run 'a'"));
  }
  CHECK_FALSE(connection->in_transaction());
  CHECK(journal.runs(10).size() == 1);
}

TEST_CASE("runs are found by prefix only when it is enough") {
  const auto engine = GENERATE(from_range(test::engines()));
  const auto database = temp_database(engine, "CREATE TABLE tasks (id integer)");
  const auto connection = database->open(Access::write);
  Journal journal{*connection};
  journal.create();
  RunRecord first = sample_run("20250101T000000-aa");
  RunRecord second = sample_run("20250101T000000-aabb");
  second.started += std::chrono::seconds{1};
  RunRecord undo = sample_run("20250102T000000-cc", "undo");
  undo.undoes = second.id;
  undo.started += std::chrono::seconds{2};
  RunRecord later = sample_run("20250103T000000-dd");
  later.started += std::chrono::seconds{3};
  insert(journal, *connection, first, {sample_entry(1, "1")});
  insert(journal, *connection, second, {sample_entry(1, "2")});
  insert(journal, *connection, undo, {sample_entry(1, "2")});
  insert(journal, *connection, later, {});
  CHECK_FALSE(journal.find_run(""));
  CHECK_FALSE(journal.find_run("2025010"));
  CHECK_FALSE(journal.find_run("%"));
  CHECK(journal.find_run("20250102")->id == undo.id);
  CHECK(journal.find_run(first.id)->id == first.id);  // also a prefix of the second
  CHECK(journal.last_undoable()->id == second.id);    // not the undo, not the one without changes
  CHECK(journal.undone_by(second.id) == std::vector<std::string>{undo.id});
  CHECK(journal.undone_by(first.id).empty());
  const std::vector<RunRecord> newest = journal.runs(2);
  REQUIRE(newest.size() == 2);
  CHECK(newest[0].id == later.id);
  CHECK(newest[1].id == undo.id);
}

TEST_CASE("postgres journal is closed to others and says how to make it") {
  const auto database = temp_database(Engine::postgres, "CREATE TABLE tasks (id integer)");
  const auto connection = database->open(Access::write);
  Journal journal{*connection, "odd \"schema"};
  journal.create();
  CHECK(journal.exists());
  CHECK(database->value("SELECT count(*) FROM information_schema.table_privileges WHERE grantee = 'PUBLIC' AND "
                        "table_name LIKE 'taskctl%'") == "0");
  const std::string ddl = journal.ddl();
  CHECK_THAT(ddl, Contains("CREATE SCHEMA IF NOT EXISTS \"odd \"\"schema\";"));
  CHECK_THAT(ddl, Contains("GRANT INSERT ON TABLE \"odd \"\"schema\".taskctl_runs"));
  CHECK(ddl.find("--") == std::string::npos);
  CHECK(ddl.find('{') == std::string::npos);
}

TEST_CASE("without the right to create it the journal explains itself") {
  const std::string role = "taskctl_weak_" + random_hex(4);
  const auto database = temp_database(Engine::postgres, "CREATE TABLE tasks (id integer)");
  database->exec("CREATE ROLE " + role);
  const auto connection = database->open(Access::write);
  connection->run("SET ROLE " + role);
  Journal journal{*connection};
  try {
    journal.create();
    FAIL("created");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::access);
    CHECK_THAT(error.hint(), Contains("CREATE TABLE IF NOT EXISTS \"taskctl\".taskctl_runs"));
  }
  CHECK_FALSE(connection->in_transaction());
  connection->run("RESET ROLE");
  // What the hint says is enough.
  database->exec(journal.ddl());
  for (const std::string& grant : journal.grants(role, Journal::Rights::write)) {
    database->exec(grant);
  }
  connection->run("SET ROLE " + role);
  journal.create();
  insert(journal, *connection, sample_run("a"), {sample_entry(1, "1")});
  CHECK(journal.runs(5).size() == 1);
  connection->run("RESET ROLE");
  database->exec("DROP OWNED BY " + role + "; DROP ROLE " + role);
}

TEST_CASE("what every run did to a task comes back oldest first") {
  const auto engine = GENERATE(from_range(test::engines()));
  const auto database = temp_database(engine, "CREATE TABLE tasks (id integer)");
  const auto connection = database->open(Access::write);
  Journal journal{*connection};
  const auto no_sink = [](const std::string&, JournalEntry&&) { FAIL("an absent journal is an empty one"); };
  journal.read_task_changes("7", no_sink);
  journal.create();
  JournalEntry later = sample_entry(1, "7");
  later.applied_at = at("2025-11-20T00:00:00Z");
  insert(journal, *connection, sample_run("a"), {later});
  insert(journal, *connection, sample_run("b"), {sample_entry(1, "7"), sample_entry(2, "77"), sample_entry(3, "7")});
  std::vector<std::string> seen;
  journal.read_task_changes("7", [&seen](const std::string& run, JournalEntry&& entry) {
    seen.push_back(run + std::to_string(entry.sequence));
  });
  CHECK(seen == std::vector<std::string>{"b1", "b3", "a1"});
}

TEST_CASE("pruning removes old runs whole and goes on where it was stopped") {
  const auto engine = GENERATE(from_range(test::engines()));
  const auto database = temp_database(engine, "CREATE TABLE tasks (id integer)");
  const auto connection = database->open(Access::write);
  Journal journal{*connection};
  CHECK(journal.prunable(at("2030-01-01T00:00:00Z")).empty());
  journal.create();
  const auto ended = [](const std::string& id, const std::string& when) {
    RunRecord run = sample_run(id);
    run.finished = at(when);
    return run;
  };
  std::vector<JournalEntry> five;
  for (int i = 1; i <= 5; ++i) {
    five.push_back(sample_entry(i, "7"));
  }
  insert(journal, *connection, ended("old", "2025-11-19T17:00:00Z"), five);
  insert(journal, *connection, ended("young", "2025-11-19T17:00:01Z"), {sample_entry(1, "8")});
  const Instant before = at("2025-11-19T17:00:00.5Z");
  const std::vector<PrunableRun> found = journal.prunable(before);
  REQUIRE(found.size() == 1);
  CHECK(found[0].id == "old");
  CHECK(found[0].changes == 5);

  CHECK_FALSE(journal.prune("old", 2, [] { return false; }));  // stopped after the first two
  CHECK(changes_of(journal, "old", false).size() == 3);
  CHECK(journal.find_run("old")->state == RunState::pruning);
  CHECK(journal.last_undoable()->id == "young");
  CHECK(journal.prunable(at("2000-01-01T00:00:00Z")).size() == 1);  // what was begun is finished, whatever its age

  CHECK(journal.prune("old", 2, [] { return true; }));
  CHECK_FALSE(journal.find_run("old").has_value());
  CHECK(changes_of(journal, "old", false).empty());
  CHECK(changes_of(journal, "young", false).size() == 1);
}

TEST_CASE("pruning without the right to delete leaves no mark") {
  const auto database = temp_database(Engine::postgres, "CREATE TABLE tasks (id integer)");
  const auto connection = database->open(Access::write);
  Journal journal{*connection};
  journal.create();
  insert(journal, *connection, sample_run("old"), {sample_entry(1, "7")});
  const std::string role = "prune_" + random_hex(6);
  connection->run("CREATE ROLE " + role);
  connection->run("GRANT USAGE ON SCHEMA taskctl TO " + role);
  connection->run("GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA taskctl TO " + role);
  connection->run("SET ROLE " + role);
  CHECK_THROWS_AS(journal.prune("old", 2, [] { return true; }), Error);
  connection->run("RESET ROLE");
  CHECK(journal.find_run("old")->state == RunState::started);
  CHECK(changes_of(journal, "old", false).size() == 1);
  database->exec("DROP OWNED BY " + role + "; DROP ROLE " + role);
}
