#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "profile/profile_reader.hpp"
#include "store/catalog.hpp"
#include "support/databases.hpp"

namespace taskctl {

namespace {

using Strings = std::vector<std::string>;

/// A sound database of the `jobs` profile.
constexpr const char* k_jobs_table =
    "CREATE TABLE jobs (id varchar(50) PRIMARY KEY, status text, error text, created_at bigint, started_at bigint,"
    " completed_at bigint);"
    "CREATE TABLE pending_cancellations (job_id varchar(50) PRIMARY KEY, reason text, requested_at bigint);";

struct Opened {
  Opened(Engine engine, const std::string& sql)
      : db{test::temp_database(engine, sql)}, connection{db->open(Access::read)} {}
  std::unique_ptr<test::TempDatabase> db;
  std::unique_ptr<Connection> connection;
};

Strings problems_of(Engine engine, const std::string& sql, const Profile& profile) {
  const Opened opened{engine, sql};
  Strings texts;
  for (const SchemaProblem& problem : check_schema(profile, read_schema(*opened.connection, profile), engine)) {
    texts.push_back(problem.text);
  }
  return texts;
}

/// A role of the test's own database: roles belong to the whole server.
constexpr const char* k_restricted_role =
    "DO $$ BEGIN EXECUTE format('CREATE ROLE %I LOGIN PASSWORD ''x''', current_database() || '_r'); END $$;";

/// Runs SQL with ROLE standing for the restricted role.
void exec_with_role(test::TempDatabase& db, std::string sql) {
  const std::string role = "\"" + db.value("SELECT current_database()").value_or("") + "_r\"";
  for (std::size_t at = sql.find("ROLE"); at != std::string::npos; at = sql.find("ROLE", at + role.size())) {
    sql.replace(at, 4, role);
  }
  db.exec(sql);
}

}  // namespace

TEST_CASE("a table is read as the catalogue describes it") {
  const Engine engine = GENERATE(from_range(test::engines()));
  const Opened opened{
      engine,
      "CREATE TABLE \"Odd\"\"Name\" (b integer NOT NULL, a varchar(20), \"select\" text, d numeric(10,2) UNIQUE,"
      " PRIMARY KEY (a, b));"
      "CREATE UNIQUE INDEX u1 ON \"Odd\"\"Name\" (b, \"select\");"
      "CREATE UNIQUE INDEX u2 ON \"Odd\"\"Name\" (b) WHERE a IS NULL;"
      "CREATE UNIQUE INDEX u3 ON \"Odd\"\"Name\" (lower(a));"
      "CREATE INDEX i1 ON \"Odd\"\"Name\" (\"select\", lower(a), b);"};
  const TableInfo table = read_table(*opened.connection, "Odd\"Name");
  CHECK(table.name == TableName{engine == Engine::sqlite ? "" : "public", "Odd\"Name"});
  REQUIRE(table.columns.size() == 4);
  CHECK(table.columns[1].name == "a");
  CHECK(table.columns[1].type == (engine == Engine::sqlite ? "varchar(20)" : "character varying(20)"));
  CHECK(table.columns[3].type == "numeric(10,2)");
  CHECK(table.find("b")->not_null);
  CHECK_FALSE(table.find("select")->not_null);
  CHECK(table.find("B") == nullptr);
  CHECK(table.primary_key == Strings{"a", "b"});
  CHECK(table.row_key() == Strings{"a", "b"});
  const auto is_unique = [&](const Strings& key) {
    return std::ranges::find(table.unique_keys, key) != table.unique_keys.end();
  };
  CHECK(is_unique({"b", "select"}));
  CHECK(is_unique({"d"}));
  CHECK_FALSE(is_unique({"b"}));
  CHECK_FALSE(is_unique({}));
  CHECK(std::ranges::find(table.indexes, Strings{"select"}) != table.indexes.end());
  CHECK_FALSE(table.is_view);
  CHECK(table.can_update);
}

TEST_CASE("a table that is not there has no columns") {
  const Engine engine = GENERATE(from_range(test::engines()));
  const Opened opened{engine, k_jobs_table};
  CHECK(read_table(*opened.connection, "nosuch").columns.empty());
  CHECK(read_table(*opened.connection, "nosuch.jobs").columns.empty());
  CHECK(read_table(*opened.connection, "jobs_pkey").columns.empty());
  CHECK(read_table(*opened.connection, "jobs' OR '1'='1").columns.empty());
  CHECK(read_table(*opened.connection, engine == Engine::sqlite ? "main.jobs" : "public.jobs").columns.size() == 6);
}

TEST_CASE("views generated columns and triggers are seen") {
  const Engine engine = GENERATE(from_range(test::engines()));
  const std::string trigger = engine == Engine::sqlite
                                  ? "CREATE TRIGGER touch AFTER UPDATE ON a BEGIN SELECT 1; END;"
                                  : "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
                                    "CREATE TRIGGER touch BEFORE UPDATE ON a FOR EACH ROW EXECUTE FUNCTION f();"
                                    "CREATE TRIGGER disabled BEFORE UPDATE ON a FOR EACH ROW EXECUTE FUNCTION f(); "
                                    "ALTER TABLE a DISABLE TRIGGER disabled;"
                                    "CREATE TRIGGER once AFTER UPDATE ON a FOR EACH STATEMENT EXECUTE FUNCTION f();";
  const Opened opened{engine,
                      "CREATE TABLE a (id integer PRIMARY KEY, twice integer GENERATED ALWAYS AS (id * 2) STORED);"
                      "CREATE TABLE b (id integer PRIMARY KEY REFERENCES a (id)); CREATE VIEW v AS SELECT id FROM a;" +
                          trigger};
  const TableInfo table = read_table(*opened.connection, "a");
  CHECK(table.find("twice")->generated);
  CHECK_FALSE(table.find("id")->generated);
  CHECK(table.triggers == (engine == Engine::sqlite ? Strings{"touch"} : Strings{"once", "touch"}));
  CHECK(read_table(*opened.connection, "b").triggers.empty());
  CHECK(read_table(*opened.connection, "v").is_view);
  CHECK(read_table(*opened.connection, "v").columns.size() == 1);
}

TEST_CASE("postgres names follow the search path") {
  const Opened opened{Engine::postgres,
                      "CREATE SCHEMA app; CREATE TABLE app.t (one integer); CREATE TABLE public.t (two integer);"
                      "CREATE TABLE app.p (id bigint GENERATED ALWAYS AS IDENTITY, at date) PARTITION BY RANGE (at);"
                      "CREATE TABLE app.p1 PARTITION OF app.p DEFAULT"};
  CHECK(read_table(*opened.connection, "t").columns.at(0).name == "two");
  CHECK(read_table(*opened.connection, "app.t").columns.at(0).name == "one");
  opened.connection->run("SET search_path = app, public");
  const TableInfo table = read_table(*opened.connection, "t");
  CHECK(table.name.display() == "app.t");
  CHECK(table.columns.at(0).name == "one");
  const TableInfo partitioned = read_table(*opened.connection, "p");
  CHECK(partitioned.columns.size() == 2);
  CHECK(partitioned.find("id")->identity_always);
  CHECK_FALSE(partitioned.is_view);
}

TEST_CASE("privileges and row security are those of the role") {
  const auto db = test::temp_postgres(std::string{k_jobs_table} + k_restricted_role);
  exec_with_role(*db,
                 "GRANT SELECT ON jobs TO ROLE; GRANT UPDATE (status) ON jobs TO ROLE;"
                 "GRANT SELECT (job_id) ON pending_cancellations TO ROLE;"
                 "ALTER TABLE jobs ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON jobs USING (status <> 'hidden')");
  const auto connection = db->open(Access::read);
  CHECK_FALSE(read_table(*connection, "jobs").row_security);  // the owner sees every row
  connection->run("SET ROLE \"" + connection->server().database + "_r\"");
  const TableInfo jobs = read_table(*connection, "jobs");
  CHECK(jobs.row_security);
  CHECK(jobs.can_select);
  CHECK(jobs.can_update);
  CHECK_FALSE(jobs.can_insert);
  CHECK_FALSE(jobs.can_delete);
  CHECK_FALSE(read_table(*connection, "pending_cancellations").can_select);
  const Schema schema = read_schema(*connection, find_profile("jobs"));
  CHECK_NOTHROW(require_all_rows_visible(schema, true));
  try {
    require_all_rows_visible(schema, false);
    FAIL("row-level security was not noticed");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::access);
    CHECK_THAT(error.message(), Catch::Contains("public.jobs"));
  }
  connection->run("RESET ROLE");
  exec_with_role(*db, "DROP OWNED BY ROLE; DROP USER ROLE");
}

TEST_CASE("a sound schema has no problems") {
  const Engine engine = GENERATE(from_range(test::engines()));
  CHECK(problems_of(engine, k_jobs_table, find_profile("jobs")).empty());
}

TEST_CASE("missing tables and columns are named with the place in the profile") {
  const Engine engine = GENERATE(from_range(test::engines()));
  const Profile profile = find_profile("jobs");
  CHECK(problems_of(engine, "CREATE TABLE other (id integer)", profile) ==
        Strings{"there is no table 'jobs'", "there is no table 'pending_cancellations'"});
  const Opened opened{
      engine,
      "CREATE TABLE jobs (id varchar(50) PRIMARY KEY, status text, error text, created_at bigint, start_at bigint,"
      " completed_at bigint);"
      "CREATE TABLE pending_cancellations (job_id varchar(50) PRIMARY KEY, reason text, requested_at bigint);"};
  const Schema schema = read_schema(*opened.connection, profile);
  const std::vector<SchemaProblem> problems = check_schema(profile, schema, engine);
  REQUIRE_FALSE(problems.empty());
  CHECK(problems.front().text == "table 'jobs' has no column 'started_at' (it has 'start_at')");
  CHECK_THAT(problems.front().where, Catch::Contains("key 'task.time.started'"));
  try {
    require_fit(profile, schema, engine);
    FAIL("a missing column was not noticed");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::mismatch);
    CHECK_THAT(error.message(), Catch::Contains("started_at"));
    CHECK_THAT(error.hint(), Catch::Contains("taskctl profile check"));
  }
}

TEST_CASE("a type that an encoding cannot read is a problem in postgres") {
  const Profile profile = find_profile("jobs");
  const std::string sql =
      "CREATE TABLE jobs (id varchar(50) PRIMARY KEY, status text, error text, created_at bigint, started_at "
      "timestamptz,"
      " completed_at text);"
      "CREATE TABLE pending_cancellations (job_id varchar(50) PRIMARY KEY, reason text, requested_at bigint);";
  CHECK(problems_of(Engine::postgres, sql, profile) ==
        Strings{
            "column 'jobs.completed_at' is of type text, which encoding 'milliseconds' cannot read",
            "column 'jobs.started_at' is of type timestamp with time zone, which encoding 'milliseconds' cannot read"});
  // SQLite's columns hold any type.
  CHECK(problems_of(Engine::sqlite, sql, profile).empty());
}

TEST_CASE("the key must be unique and the table no view") {
  const Engine engine = GENERATE(from_range(test::engines()));
  const Profile profile = find_profile("jobs");
  const std::string requests =
      "CREATE TABLE pending_cancellations (job_id varchar(50) PRIMARY KEY, reason text, requested_at bigint);";
  const std::string columns =
      " (id varchar(50), status text, error text, created_at bigint, started_at bigint, completed_at bigint);";
  CHECK(problems_of(engine, requests + "CREATE TABLE jobs" + columns + "CREATE INDEX i ON jobs (id)", profile) ==
        Strings{"nothing makes the key (id) of table 'jobs' unique: it needs a primary key or a unique index"});
  CHECK(problems_of(engine, requests + "CREATE TABLE jobs" + columns + "CREATE UNIQUE INDEX i ON jobs (id, status)",
                    profile)
            .size() == 1);
  CHECK(problems_of(engine, requests + "CREATE TABLE jobs" + columns + "CREATE UNIQUE INDEX i ON jobs (id)", profile)
            .empty());
  CHECK(problems_of(engine,
                    requests + "CREATE TABLE real_jobs" + columns + "CREATE VIEW jobs AS SELECT * FROM real_jobs",
                    profile) == Strings{"'jobs' is a view: only tables can be repaired"});
  CHECK(problems_of(engine,
                    std::string{k_jobs_table} +
                        "DROP TABLE pending_cancellations;"
                        "CREATE TABLE pending_cancellations (job_id text, reason text, requested_at bigint)",
                    profile) ==
        Strings{"table 'pending_cancellations' has neither a primary key nor a unique key without NULL"});
}

TEST_CASE("a changed schema has another fingerprint") {
  const Engine engine = GENERATE(from_range(test::engines()));
  const Profile profile = find_profile("jobs");
  const Opened opened{engine, k_jobs_table};
  const std::string before = read_schema(*opened.connection, profile).fingerprint();
  CHECK(before.size() == 64);
  CHECK(read_schema(*opened.connection, profile).fingerprint() == before);
  opened.db->exec("CREATE INDEX harmless ON jobs (status)");
  CHECK(read_schema(*opened.connection, profile).fingerprint() == before);
  opened.db->exec("ALTER TABLE jobs ADD COLUMN extra text");
  CHECK(read_schema(*opened.connection, profile).fingerprint() != before);
}

}  // namespace taskctl
