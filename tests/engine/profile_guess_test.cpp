#include "engine/profile_guess.hpp"

#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "base/timestamp.hpp"
#include "engine/guess_columns.hpp"
#include "engine/guessed_profile.hpp"
#include "profile/profile_reader.hpp"

using namespace taskctl;
using Catch::Matchers::Contains;

namespace {

const Instant k_guess_now = parse_instant("2025-11-07T12:00:00Z", "now");

Value text(const std::string& value) {
  return value;
}
Value number(std::int64_t value) {
  return value;
}

/// A table of SQLite: "name TYPE" each, then rows.
TableSketch sketch(const std::string& name, const std::vector<std::pair<std::string, std::string>>& columns,
                   std::vector<Row> rows = {}) {
  TableSketch table;
  table.name = name;
  table.info.name = {"", name};
  for (const auto& [column, type] : columns) {
    table.info.columns.push_back({.name = column, .type = type});
  }
  table.info.primary_key = {columns.front().first};
  table.rows = std::move(rows);
  return table;
}

void count_values(TableSketch& table, const std::string& column) {
  table.frequency.resize(table.info.columns.size());
  for (const std::string& value : distinct_values(table, column)) {
    table.frequency[*table.position(column)].push_back({value, 1});
  }
}

TableSketch work_items() {
  TableSketch table = sketch("work_items",
                             {{"id", "INTEGER"},
                              {"job", "TEXT"},
                              {"state", "TEXT"},
                              {"host", "TEXT"},
                              {"added", "TEXT"},
                              {"taken", "INTEGER"},
                              {"beat", "INTEGER"},
                              {"done", "INTEGER"},
                              {"problem", "TEXT"}},
                             {{number(1), text("mail"), text("finished"), text("web-1"), text("2025-11-07 09:00:00"),
                               number(1762506060), number(1762506090), number(1762506120), Null{}},
                              {number(2), text("mail"), text("working"), text("web-2"), text("2025-11-07 09:30:00"),
                               number(1762507860), number(1762516790), Null{}, Null{}},
                              {number(3), text("mail"), text("zurückgestellt"), Null{}, text("2025-11-07 11:59:00"),
                               Null{}, Null{}, Null{}, Null{}}});
  count_values(table, "state");
  return table;
}

ProfileGuess guess(const TableSketch& table, const Answers& answers = {}, Engine engine = Engine::sqlite) {
  return guess_profile(table, {}, engine, k_guess_now, answers);
}

std::vector<std::string> doubts_of(const ProfileGuess& guess) {
  std::vector<std::string> flags;
  for (const Doubt& doubt : guess.doubts) {
    flags.push_back(doubt.flag);
  }
  return flags;
}

Profile parsed(const ProfileGuess& guess, const TableSketch& table, Safety safety = Safety::full) {
  return parse_profile(profile_text(guess, table, {.name = "guessed", .safety = safety}), "guessed.toml");
}

}  // namespace

TEST_CASE("names are taken apart into words") {
  CHECK(words_of("lastHeartbeatAt") == std::vector<std::string>{"last", "heartbeat", "at"});
  CHECK(words_of("LAST_HEARTBEAT_AT") == std::vector<std::string>{"last", "heartbeat", "at"});
  CHECK(words_of("t2.done-on") == std::vector<std::string>{"t2", "done", "on"});
  CHECK(words_of("").empty());
}

TEST_CASE("words of statuses have classes") {
  CHECK(class_of_word("IN_PROGRESS") == TaskClass::active);
  CHECK(class_of_word("inProgress") == TaskClass::active);
  CHECK(class_of_word("Timed Out") == TaskClass::failed);
  CHECK(class_of_word("on-hold") == TaskClass::parked);
  CHECK(class_of_word("RENDERING") == TaskClass::active);
  CHECK(class_of_word("waiting") == TaskClass::queued);
  CHECK(class_of_word("Cancelling") == std::nullopt);
  CHECK(class_of_word("awaiting_upload") == std::nullopt);
  CHECK(class_of_word("frobnicated") == std::nullopt);
  CHECK(rank_of_word("failed") < rank_of_word("dead"));
}

TEST_CASE("columns and their encodings are guessed from names and values") {
  const TableSketch table = work_items();
  const ProfileGuess found = guess(table);
  CHECK(found.key == std::vector<std::string>{"id"});
  CHECK(found.of("status").column == "state");
  CHECK(found.of("worker").column == "host");
  CHECK(found.of("kind").column == "job");
  CHECK(found.of("error").column == "problem");
  CHECK(found.time("created") == "added");
  CHECK(found.time("started") == "taken");
  CHECK(found.time("heartbeat") == "beat");
  CHECK(found.time("finished") == "done");
  CHECK(found.encodings.at("taken").read.front().format == TimeFormat::unix_s);
  CHECK(found.encodings.at("added").read.front().separator == ' ');
  CHECK(doubts_of(found) == std::vector<std::string>{"class:zurückgestellt"});
  CHECK(found.doubts.front().optional);
}

TEST_CASE("a table without times counts from when a task was first seen, unless a column holds times") {
  TableSketch table =
      sketch("jobs", {{"id", "INTEGER"}, {"state", "TEXT"}, {"host", "TEXT"}, {"op", "TEXT"}},
             {{number(1), text("running"), text("web-1"), Null{}}, {number(2), text("done"), Null{}, Null{}}});
  count_values(table, "state");
  const ProfileGuess found = guess(table);
  CHECK(found.counts_first_seen);
  CHECK(doubts_of(found) == std::vector<std::string>{"started"});
  CHECK(found.doubts.front().optional);
  CHECK(parsed(found, table).times.counts_first_seen());
  CHECK(guess(table, {{"started", {"none"}}}).doubts.empty());

  table.rows[0][3] = text("2025-11-07 09:00:00");
  const ProfileGuess asked = guess(table);
  CHECK_FALSE(asked.doubts.front().optional);
  CHECK(asked.doubts.front().choices == std::vector<std::string>{"op", "none"});
  const ProfileGuess named = guess(table, {{"started", {"op"}}});
  CHECK_FALSE(named.counts_first_seen);
  CHECK(named.doubts.empty());
  CHECK_FALSE(guess(work_items()).counts_first_seen);
}

TEST_CASE("every answer goes before the guess") {
  const TableSketch table = work_items();
  const ProfileGuess found = guess(table, {{"worker", {"none"}},
                                           {"kind", {"host"}},
                                           {"parked", {"zurückgestellt"}},
                                           {"encoding", {"done=unix-ms"}},
                                           {"zone", {"Europe/Berlin"}}});
  CHECK(found.of("worker").column.empty());
  CHECK(found.of("kind").column == "host");
  CHECK(found.encodings.at("done").read.front().format == TimeFormat::unix_ms);
  CHECK(found.encodings.at("added").read.front().zone->name() == "Europe/Berlin");
  REQUIRE(found.status_of(TaskClass::parked) != nullptr);
  CHECK(found.status_of(TaskClass::parked)->text == "zurückgestellt");
  CHECK(found.doubts.empty());
  CHECK_THROWS_WITH(guess(table, {{"worker", {"hots"}}}), Contains("no column 'hots'"));
  CHECK_THROWS_WITH(guess(table, {{"encoding", {"done=soon"}}}), Contains("unknown format 'soon'"));
  CHECK_THROWS_WITH(guess(table, {{"encoding", {"done"}}}), Contains("is not COLUMN=FORMAT"));
}

TEST_CASE("what is written is a profile") {
  const TableSketch table = work_items();
  const Profile profile = parsed(guess(table), table);
  CHECK(profile.status.column == "state");
  CHECK(profile.liveness.size() == 1);
  CHECK(profile.outcomes.empty());  // neither a failed nor a queued status is known
  const Profile whole = parsed(guess(table, {{"queued", {"zurückgestellt"}}, {"failed", {"kaputt"}}}), table);
  CHECK(whole.outcomes.count(Outcome::requeued) == 1);
  CHECK(whole.outcomes.count(Outcome::failed) == 1);
  const Profile careful = parsed(guess(table), table, Safety::read_only);
  CHECK(careful.outcomes.empty());
  const std::string written = profile_text(guess(table), table, {.name = "guessed"});
  CHECK_THAT(written, Contains("# not mapped: 'zurückgestellt' (1 row)"));
  CHECK_THAT(written, Contains("# attempts = "));
  CHECK_THAT(written, Contains("--attempts COLUMN"));
}

TEST_CASE("each unit of time is told by its range") {
  const auto format_of = [](const std::string& type, const std::vector<Value>& values) {
    const EncodingGuess guess = guess_encoding({.name = "at", .type = type}, Engine::sqlite, values, Zone::find("UTC"));
    return guess.known() ? std::string{format_name(guess.read.front().format)} : std::string{};
  };
  CHECK(format_of("INTEGER", {number(1762506060)}) == "unix-s");
  CHECK(format_of("INTEGER", {number(1762506060123)}) == "unix-ms");
  CHECK(format_of("INTEGER", {number(1762506060123456)}) == "unix-us");
  CHECK(format_of("INTEGER", {number(1762506060123456789)}) == "unix-ns");
  CHECK(format_of("REAL", {Value{1762506060.25}}) == "unix-float");
  CHECK(format_of("REAL", {Value{1762506060.0}}) == "unix-float");
  CHECK(format_of("REAL", {Value{2460987.5}}) == "julian-day");
  CHECK(format_of("TEXT", {text("2025-11-07T09:00:00Z")}) == "text");
  CHECK(format_of("TEXT", {text("1762506060")}) == "unix-s");
  CHECK(format_of("INTEGER", {number(0), number(1)}).empty());
  CHECK(format_of("TEXT", {text("soon")}).empty());
  CHECK(format_of("INTEGER", {}).empty());
  const EncodingGuess postgres =
      guess_encoding({.name = "at", .type = "timestamp with time zone"}, Engine::postgres, {}, Zone::find("UTC"));
  CHECK(postgres.read.front().format == TimeFormat::timestamptz);
  CHECK_FALSE(postgres.zoneless);
}

TEST_CASE("texts tell separator and zone and fraction") {
  const auto style = [](const std::vector<Value>& values) {
    return guess_encoding({.name = "at", .type = "TEXT"}, Engine::sqlite, values, Zone::find("UTC"));
  };
  const EncodingGuess zoned = style({text("2025-11-07T09:00:00.120+01:00")});
  CHECK(zoned.read.front().zone_in_text);
  CHECK(zoned.read.front().fraction == 3);
  CHECK_FALSE(zoned.zoneless);
  const EncodingGuess mixed = style({text("2025-11-07T09:00:00"), text("2025-11-07 09:00:00")});
  CHECK(mixed.two_shapes);
  CHECK(mixed.zoneless);
  CHECK(mixed.read.front().separator == '\0');
  CHECK(style({text("2025-11-07 09:00:00"), text("x")}).unread == 1);
}

TEST_CASE("a time in the future puts the zone in doubt") {
  TableSketch table = work_items();
  table.rows.front()[4] = text("2025-11-07 19:30:00");
  CHECK(doubts_of(guess(table)) == std::vector<std::string>{"class:zurückgestellt", "zone"});
  CHECK(doubts_of(guess(table, {{"zone", {"+08:00"}}})) == std::vector<std::string>{"class:zurückgestellt"});
}

TEST_CASE("vocabularies stand in checks and enums") {
  TableSketch table = sketch("jobs", {{"id", "INTEGER"}, {"state", "TEXT"}, {"started_at", "INTEGER"}});
  table.checks = {
      "CREATE TABLE jobs (id INTEGER PRIMARY KEY CHECK (id > 0), state TEXT CHECK (state IN ('new', 'running', "
      "'it''s over', 'failed')), started_at INTEGER, CHECK (started_at IS NULL OR state IN ('running', 'failed')))"};
  CHECK(allowed_values(table, "state") == std::vector<std::string>{"new", "running", "it's over", "failed"});
  CHECK(allowed_values(table, "id").empty());
  table.checks = {"CHECK ((state = ANY (ARRAY['new'::text, 'running'::text])))"};
  CHECK(allowed_values(table, "state") == std::vector<std::string>{"new", "running"});
  table.info.columns[1].labels = {"open", "busy"};
  CHECK(allowed_values(table, "state") == std::vector<std::string>{"open", "busy"});
}

TEST_CASE("an empty table leaves the encoding open") {
  TableSketch table = sketch("jobs", {{"id", "INTEGER"}, {"state", "TEXT"}, {"started_at", "INTEGER"}});
  table.checks = {"CREATE TABLE jobs (id, state CHECK (state IN ('queued', 'running', 'failed')), started_at)"};
  CHECK(doubts_of(guess(table)) == std::vector<std::string>{"encoding:started_at"});
  const ProfileGuess told = guess(table, {{"encoding", {"started_at=unix-ms"}}});
  CHECK(told.doubts.empty());
  CHECK(parsed(told, table).times.started.column == "started_at");
}

TEST_CASE("a table without a status is told by its times") {
  TableSketch table =
      sketch("jobs", {{"id", "INTEGER"}, {"locked_at", "INTEGER"}, {"failed_at", "INTEGER"}, {"locked_by", "TEXT"}},
             {{number(1), number(1762506060), Null{}, text("w")}, {number(2), Null{}, number(1762506060), Null{}}});
  CHECK(doubts_of(guess(table)) == std::vector<std::string>{"status"});
  const ProfileGuess told = guess(table, {{"status", {"none"}}});
  CHECK(told.doubts.empty());
  REQUIRE(told.conditions.size() == 3);
  CHECK(told.conditions[0].when == "\"failed_at\" IS NOT NULL");
  CHECK(told.conditions[0].task_class == TaskClass::failed);
  CHECK(told.conditions[1].when == "\"locked_at\" IS NOT NULL");
  const Profile profile = parsed(told, table);
  CHECK(profile.classes.size() == 3);
  CHECK_THROWS_WITH(guess(sketch("jobs", {{"id", "INTEGER"}, {"payload", "TEXT"}})),
                    Contains("nothing in 'jobs' tells a task that runs"));
}

TEST_CASE("numbers as statuses mean nothing by themselves") {
  TableSketch table = sketch("jobs", {{"id", "INTEGER"}, {"state", "INTEGER"}, {"started_at", "INTEGER"}},
                             {{number(1), number(0), Null{}}, {number(2), number(1), number(1762506060)}});
  count_values(table, "state");
  CHECK(doubts_of(guess(table)) == std::vector<std::string>{"active"});
  const ProfileGuess told = guess(table, {{"active", {"1"}}, {"queued", {"0"}}});
  CHECK(told.statuses_are_numbers);
  CHECK(told.doubts.empty());
  CHECK(parsed(told, table).classes.front().values.front().is_number);
}

TEST_CASE("what cannot be named is refused") {
  TableSketch table = work_items();
  table.info.primary_key.clear();
  CHECK_THROWS_WITH(guess(table), Contains("nothing names one row of 'work_items'"));
}

TEST_CASE("a status by which a table is cut into partitions is no part of the key") {
  TableSketch table = work_items();
  table.info.primary_key = {"id", "state"};
  CHECK(guess(table).key == std::vector<std::string>{"id", "state"});
  table.info.is_partitioned = true;
  const ProfileGuess found = guess(table);
  CHECK(found.key == std::vector<std::string>{"id"});
  CHECK(found.key_why == "the primary key, without the status");
  CHECK(guess(table, {{"key", {"id", "state"}}}).key == std::vector<std::string>{"id", "state"});
  table.info.primary_key = {"state"};
  CHECK(guess(table).key == std::vector<std::string>{"state"});
}

TEST_CASE("the table of tasks is found among others") {
  const std::vector<TableSketch> tables{
      sketch("job_logs", {{"id", "INTEGER"}, {"job_id", "INTEGER"}, {"message", "TEXT"}}),
      sketch("users", {{"id", "INTEGER"}, {"name", "TEXT"}, {"created_at", "TEXT"}}), work_items()};
  CHECK(guess_table(tables, Engine::sqlite, {}).index == 2);
  CHECK(guess_table(tables, Engine::sqlite, {{"table", {"users"}}}).index == 1);
  CHECK_THROWS_WITH(guess_table(tables, Engine::sqlite, {{"table", {"usres"}}}), Contains("no table 'usres'"));
  CHECK_THROWS_WITH(guess_table(std::span{tables}.first(2), Engine::sqlite, {}), Contains("no table of this database"));
  const std::vector<TableSketch> twins{work_items(), work_items()};
  REQUIRE(guess_table(twins, Engine::sqlite, {}).doubt);
  CHECK(guess_table(twins, Engine::sqlite, {}).doubt->flag == "table");
}

TEST_CASE("a table of workers is found by what stands in it") {
  const TableSketch tasks = work_items();
  const std::vector<TableSketch> tables{
      tasks, sketch("nodes", {{"id", "INTEGER"}, {"name", "TEXT"}, {"last_seen", "INTEGER"}},
                    {{number(1), text("web-1"), number(1762516790)}, {number(2), text("web-9"), number(1762516790)}})};
  CHECK(worker_table_candidates(tables, Engine::sqlite, {}) == std::vector<std::size_t>{1});
  CHECK(worker_table_candidates(tables, Engine::sqlite, {{"worker-table", {"none"}}}).empty());
  const ProfileGuess found = guess_profile(tasks, std::span{tables}.subspan(1), Engine::sqlite, k_guess_now, {});
  REQUIRE(found.workers);
  CHECK(found.workers->key == "name");
  CHECK(found.workers->heartbeat == "last_seen");
  CHECK(parsed(found, tasks).liveness.front().table == "nodes");
}

TEST_CASE("odd names go through quoting") {
  TableSketch table =
      sketch("my \"odd\" jobs", {{"the id", "INTEGER"}, {"job's state", "TEXT"}, {"start \"time\"", "TEXT"}},
             {{number(1), text("running"), text("2025-11-07T09:00:00Z")},
              {number(2), text("failed"), text("2025-11-07T09:00:00Z")}});
  count_values(table, "job's state");
  const ProfileGuess found = guess(table);
  const Profile profile = parsed(found, table);
  CHECK(profile.table == "my \"odd\" jobs");
  CHECK(profile.status.column == "job's state");
  CHECK(profile.times.started.column == "start \"time\"");
  CHECK(profile_name_of("My \"odd\" Jobs2") == "my-odd-jobs2");
  CHECK(profile_name_of("42") == "my-queue");
}
