#include <catch2/catch.hpp>
#include <regex>
#include <string>

#include "base/timestamp.hpp"
#include "profile/profile_reader.hpp"
#include "sql/dialect.hpp"
#include "sql/render.hpp"
#include "sql/statements.hpp"
#include "sql/template.hpp"
#include "store/catalog.hpp"
#include "store/journal.hpp"
#include "support/databases.hpp"

namespace taskctl {

namespace {

std::string with_names(std::string sql) {
  sql = std::regex_replace(sql, std::regex{R"(\{schema\})"}, "\"taskctl\"");
  sql = std::regex_replace(sql, std::regex{R"(\{role\})"}, "PUBLIC");
  const auto has = [&sql](std::string_view word) { return sql.find(word) != std::string::npos; };
  return fill_template(sql, {{"table", "tasks"},
                             {"name", has("VALIDATE")          ? "kept"
                                      : has("RETURNS trigger") ? "\"taskctl\".taskctl_guard_rules"
                                                               : "made"},
                             {"condition", has("CREATE TRIGGER") ? "NEW.id > 0" : "id > 0"},
                             {"security", ""},
                             {"body", "  PERFORM 1;\n"},
                             {"event", "INSERT"},
                             {"action", has("EXECUTE FUNCTION") ? "\"taskctl\".taskctl_guard_rules()" : "SELECT 1"},
                             {"mark", "'mark'"},
                             {"object", has("DROP") ? "TABLE dropped" : "TABLE tasks"}});
}

/// The statement without its comments.
std::string body_of(const std::string& sql) {
  return std::regex_replace(sql, std::regex{R"((^|\n)\s*--[^\n]*)"}, "$1");
}

/// The statement without the bodies of functions and triggers, whose statements end in ';'.
std::string outside_of_bodies(const std::string& sql) {
  return std::regex_replace(body_of(sql), std::regex{R"(\bBEGIN\b[^]*\bEND\b|\$taskctl\$[^]*\$taskctl\$)"}, "");
}

bool can_be_prepared(const std::string& sql) {
  return std::regex_search(body_of(sql), std::regex{R"(^\s*(SELECT|INSERT|UPDATE|DELETE|WITH|VALUES)\b)"});
}

/// Makes the server parse and plan the statement. PostgreSQL has no PREPARE for definitions: those are run.
void prepare(test::TempDatabase& db, const std::string& sql) {
  if (db.engine() == Engine::sqlite) {
    db.query("EXPLAIN " + sql);
  } else if (can_be_prepared(sql)) {
    db.exec("PREPARE checked AS " + sql);
    db.exec("DEALLOCATE checked");
  } else {
    db.exec(sql);
  }
}

struct FixtureOf {
  const char* profile;
  Engine engine;
  const char* file;
};

const FixtureOf k_fixtures[] = {{"task-queue", Engine::sqlite, "task_queue.sqlite.sql"},
                                {"jobs", Engine::sqlite, "jobs.sqlite.sql"},
                                {"workspace-tasks", Engine::postgres, "workspace_tasks.postgres.sql"},
                                {"cluster", Engine::postgres, "cluster.postgres.sql"},
                                {"good-job", Engine::postgres, "good_job.postgres.sql"},
                                {"oban", Engine::postgres, "oban.postgres.sql"},
                                {"procrastinate", Engine::postgres, "procrastinate.postgres.sql"},
                                {"river", Engine::postgres, "river.postgres.sql"},
                                {"river", Engine::sqlite, "river.sqlite.sql"},
                                {"solid-queue", Engine::postgres, "solid_queue.postgres.sql"},
                                {"solid-queue", Engine::sqlite, "solid_queue.sqlite.sql"},
                                {"celery", Engine::postgres, "celery_django.postgres.sql"}};

/// The first variant for the engine.
Profile profile_of(const FixtureOf& fixture) {
  for (Profile& profile : find_profiles(fixture.profile)) {
    if (profile.engines.contains(fixture.engine)) {
      return std::move(profile);
    }
  }
  throw std::logic_error{"no variant for the engine"};
}

/// Every list of operations that the profile can carry out.
std::vector<OperationList> operations_of(const Profile& profile) {
  std::vector<OperationList> lists;
  for (const auto& [outcome, operations] : profile.outcomes) {
    lists.push_back(operations);
  }
  for (const auto& [rule, operations] : profile.rule_operations) {
    lists.push_back(operations);
  }
  return lists;
}

}  // namespace

TEST_CASE("every embedded statement can be prepared") {
  const Engine engine = GENERATE(from_range(test::engines()));
  const auto db = test::temp_database(
      engine,
      "CREATE TABLE tasks (id integer PRIMARY KEY, CONSTRAINT kept CHECK (id > 0)); CREATE TABLE dropped (id integer)");
  {
    const auto connection = db->open(Access::write);
    Journal{*connection, "taskctl"}.create();
  }
  const Statements& statements = Dialect{engine}.statements();
  db->exec(with_names(std::string{statements.guard_create_log}));
  db->exec(with_names(std::string{statements.guard_create_state}));
  for (const auto& [stem, member] : k_statement_list) {
    INFO(to_string(engine) << "/" << stem);
    CHECK_NOTHROW(prepare(*db, with_names(std::string{statements.*member})));
  }
  REQUIRE(k_statement_list.size() > 10);
}

TEST_CASE("a statement with a typo cannot be prepared") {
  const Engine engine = GENERATE(from_range(test::engines()));
  const auto db = test::temp_database(engine, "CREATE TABLE tasks (id integer PRIMARY KEY)");
  CHECK_THROWS(prepare(*db, "SELECT nosuch FROM tasks"));
  CHECK_THROWS(prepare(*db, "-- purpose\nSELECT id FROM nosuch"));
}

TEST_CASE("every statement says what it takes returns and locks") {
  const Engine engine = GENERATE(from_range(test::engines()));
  const Statements& statements = Dialect{engine}.statements();
  for (const auto& [stem, member] : k_statement_list) {
    INFO(to_string(engine) << "/" << stem);
    const std::string sql{statements.*member};
    CHECK(sql.starts_with("-- "));
    CHECK(sql.find("\n-- params:") != std::string::npos);
    CHECK(sql.find("\n-- returns:") != std::string::npos);
    CHECK(sql.find("\n-- locks:") != std::string::npos);
    CHECK(outside_of_bodies(sql).find(';') == std::string::npos);
  }
}

TEST_CASE("every postgres parameter is cast from text") {
  for (const auto& [stem, member] : k_statement_list) {
    INFO(stem);
    const std::string sql = body_of(std::string{k_postgres_statements.*member});
    CHECK_FALSE(std::regex_search(sql, std::regex{R"(\$\d+(?!\d|::text))"}));
  }
}

TEST_CASE("every rendered statement of the built-in profiles can be prepared") {
  const FixtureOf fixture = GENERATE(from_range(std::begin(k_fixtures), std::end(k_fixtures)));
  INFO(fixture.profile);
  const auto db = test::temp_database(fixture.engine, test::fixture(fixture.file));
  const auto connection = db->open(Access::read);
  const Profile profile = profile_of(fixture);
  Schema schema = read_schema(*connection, profile);
  const Dialect dialect{fixture.engine};
  REQUIRE(check_schema(profile, schema, fixture.engine).empty());

  const TaskKey key{{"1"}};
  for (const FactsRequest& request :
       {FactsRequest{}, FactsRequest{.all_queued = true},
        FactsRequest{.rows = FactsRequest::Rows::by_key, .keys = {key}},
        FactsRequest{.rows = FactsRequest::Rows::by_key, .keys = {key}, .with_image = true, .lock = true},
        FactsRequest{.rows = FactsRequest::Rows::open, .selector = {.ids = {"1"}, .statuses = {"running"}}}}) {
    const std::string sql = render_facts(profile, schema, dialect, request).statement.sql;
    INFO(sql);
    CHECK_NOTHROW(prepare(*db, sql));
  }
  CHECK_NOTHROW(prepare(*db, render_status_counts(profile, schema, dialect).sql));
  CHECK_NOTHROW(prepare(*db, render_facts_by_results(profile, schema, dialect, {}).statement.sql));
  for (const EvidenceSource& source : profile.evidence) {
    for (auto& [name, table] : schema.tables) {
      table.indexes.clear();  // without an index the statement is another one
      const std::string sql = render_evidence(profile, schema, dialect, source, std::vector{key}).statement.sql;
      INFO(sql);
      CHECK_NOTHROW(prepare(*db, sql));
    }
  }
  for (const LivenessSource& source : profile.liveness) {
    if (source.kind == LivenessSource::Kind::table) {
      CHECK_NOTHROW(prepare(*db, render_workers(source, schema, dialect, "w1").sql));
    }
  }
  const std::vector<EvaluationInput> tasks{{key, "stuck"}, {{{"2"}}, "stuck"}};
  const Instant now = parse_instant("2025-12-19T16:54:56Z", "--now");
  for (const OperationList& operations : operations_of(profile)) {
    for (const OperationSpec& operation : operations) {
      const std::string sql = render_evaluation(profile, schema, dialect, operation, tasks, now).statement.sql;
      INFO(sql);
      CHECK_NOTHROW(prepare(*db, sql));
    }
  }
}

TEST_CASE("rows of every table of the built-in profiles can be read and written") {
  const FixtureOf fixture = GENERATE(from_range(std::begin(k_fixtures), std::end(k_fixtures)));
  INFO(fixture.profile);
  const auto db = test::temp_database(fixture.engine, test::fixture(fixture.file));
  const auto connection = db->open(Access::read);
  const Schema schema = read_schema(*connection, profile_of(fixture));
  const Dialect dialect{fixture.engine};
  for (const auto& [name, table] : schema.tables) {
    INFO(name);
    const RowKey key{table.row_key(), std::vector<Value>(table.row_key().size(), std::string{"1"})};
    REQUIRE_FALSE(key.columns.empty());
    std::vector<std::string> columns;
    std::vector<std::string> settable;  // an UPDATE cannot set what the database counts itself
    for (const ColumnInfo& column : table.columns) {
      columns.push_back(column.name);
      if (!column.identity_always) {
        settable.push_back(column.name);
      }
    }
    const Image image{std::make_shared<const std::vector<std::string>>(columns), std::vector<Value>(columns.size())};
    CHECK_NOTHROW(prepare(*db, render_read_rows(table, dialect, std::vector{key}, true).sql));
    for (const Operation operation : {Operation::update, Operation::insert, Operation::remove}) {
      const Change change{.operation = operation, .table = table.name, .key = key, .after = image, .written = settable};
      const std::string sql = render_write(table, dialect, change).sql;
      INFO(sql);
      CHECK_NOTHROW(prepare(*db, sql));
    }
  }
}

}  // namespace taskctl
