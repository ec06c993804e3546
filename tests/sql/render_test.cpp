#include "sql/render.hpp"

#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "profile/profile_reader.hpp"

namespace taskctl {

namespace {

const Dialect k_sqlite{Engine::sqlite};
const Dialect k_postgres{Engine::postgres};

TableInfo jobs_table() {
  TableInfo table;
  table.name = {"", "jobs"};
  table.primary_key = {"id"};
  table.columns = {{.name = "id", .type = "text"},           {.name = "status", .type = "text"},
                   {.name = "error", .type = "text"},        {.name = "created_at", .type = "bigint"},
                   {.name = "started_at", .type = "bigint"}, {.name = "completed_at", .type = "bigint"}};
  return table;
}

Schema jobs_schema() {
  TableInfo requests;
  requests.name = {"", "pending_cancellations"};
  requests.primary_key = {"job_id"};
  requests.columns = {{.name = "job_id", .type = "text"},
                      {.name = "reason", .type = "text"},
                      {.name = "requested_at", .type = "bigint"}};
  return {{{"jobs", jobs_table()}, {"pending_cancellations", requests}}};
}

}  // namespace

TEST_CASE("the layout names every column of the statement") {
  const FactsStatement facts = render_facts(find_profile("jobs"), jobs_schema(), k_sqlite, {.with_image = true});
  const FactsLayout& layout = facts.layout;
  CHECK(layout.key == 0);
  CHECK(layout.key_count == 1);
  CHECK(layout.status == 1);
  CHECK(layout.worker == -1);
  CHECK(layout.error >= 0);
  CHECK(layout.started >= 0);
  CHECK(layout.lease == -1);
  CHECK(layout.liveness.empty());
  CHECK(layout.request_present >= 0);
  CHECK(layout.request_reason > layout.request_time);
  CHECK(layout.image_columns.size() == 6);
  CHECK(layout.image > layout.request_reason);
}

TEST_CASE("values of users are parameters") {
  const std::string evil = "x'; DROP TABLE jobs; --";
  const Selector selector{.ids = {evil}, .statuses = {evil}};
  for (const Dialect& dialect : {k_sqlite, k_postgres}) {
    const RenderedStatement statement = render_facts(find_profile("jobs"), jobs_schema(), dialect,
                                                     {.rows = FactsRequest::Rows::open, .selector = selector})
                                            .statement;
    CHECK(statement.sql.find("DROP") == std::string::npos);
    CHECK(statement.parameters == std::vector<Value>{evil, evil});
  }
}

TEST_CASE("no possible key selects nothing") {
  const FactsRequest none{.rows = FactsRequest::Rows::by_key};
  CHECK_THAT(render_facts(find_profile("jobs"), jobs_schema(), k_sqlite, none).statement.sql,
             Catch::EndsWith("WHERE 1 = 0"));
  const FactsRequest wrong{.rows = FactsRequest::Rows::by_key, .keys = {{{"a", "b"}}}};
  CHECK_THAT(render_facts(find_profile("jobs"), jobs_schema(), k_postgres, wrong).statement.sql,
             Catch::EndsWith("WHERE 1 = 0"));
}

TEST_CASE("locks are taken only on request and only in postgres") {
  FactsRequest request{.rows = FactsRequest::Rows::by_key, .keys = {{{"a"}}}};
  CHECK(render_facts(find_profile("jobs"), jobs_schema(), k_postgres, request).statement.sql.find("LOCKED") ==
        std::string::npos);
  request.lock = true;
  CHECK_THAT(render_facts(find_profile("jobs"), jobs_schema(), k_postgres, request).statement.sql,
             Catch::EndsWith(" FOR UPDATE OF t SKIP LOCKED"));
  CHECK(render_facts(find_profile("jobs"), jobs_schema(), k_sqlite, request).statement.sql.find("LOCKED") ==
        std::string::npos);
}

TEST_CASE("a column that the database lacks is a mismatch") {
  Schema schema = jobs_schema();
  schema.tables.at("jobs").columns.pop_back();
  try {
    render_facts(find_profile("jobs"), schema, k_sqlite, {});
    FAIL("a missing column was not noticed");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::mismatch);
    CHECK(error.message() == "table 'jobs' has no column 'completed_at'");
  }
}

TEST_CASE("an update writes the columns named and nothing else") {
  const auto columns =
      std::make_shared<const std::vector<std::string>>(std::vector<std::string>{"id", "status", "error"});
  const Change change{.operation = Operation::update,
                      .table = {"", "jobs"},
                      .key = {{"id"}, {std::string{"a"}}},
                      .after = Image{columns, {std::string{"a"}, std::string{"failed"}, Null{}}},
                      .written = {"status", "error"}};
  const RenderedStatement sqlite = render_write(jobs_table(), k_sqlite, change);
  CHECK(sqlite.sql == R"(UPDATE "jobs" SET "status" = ?1, "error" = ?2 WHERE "id" = ?3)");
  CHECK(sqlite.parameters == std::vector<Value>{std::string{"failed"}, Null{}, std::string{"a"}});
  Change wrong = change;
  wrong.written = {"started_at"};
  CHECK_THROWS_AS(render_write(jobs_table(), k_sqlite, wrong), Error);
  wrong.written = {};
  CHECK_THROWS_AS(render_write(jobs_table(), k_sqlite, wrong), Error);
}

TEST_CASE("a row without a key is never written") {
  const Change change{.operation = Operation::remove, .table = {"", "jobs"}};
  CHECK(render_write(jobs_table(), k_sqlite, change).sql == R"(DELETE FROM "jobs" WHERE 1 = 0)");
}

TEST_CASE("status counts group bare columns first") {
  const std::string sql = render_status_counts(find_profile("jobs"), jobs_schema(), k_sqlite).sql;
  CHECK(sql.find(R"(SELECT "status", count(*) AS v__count FROM "jobs" GROUP BY "status")") != std::string::npos);
}

}  // namespace taskctl
