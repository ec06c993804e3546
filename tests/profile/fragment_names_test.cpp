#include "profile/fragment_names.hpp"

#include <catch2/catch.hpp>

#include "profile/profile_reader.hpp"
#include "profile/table_use.hpp"

namespace taskctl {

namespace {

using Names = std::set<std::string>;

FragmentNames names_of(const std::string& sql) {
  return names_in(Fragment::parse(sql, {}));
}

}  // namespace

TEST_CASE("tables stand after from and join") {
  CHECK(names_of("EXISTS (SELECT 1 FROM jobs j WHERE j.id = r.job_id)").relations == Names{"jobs"});
  CHECK(
      names_of(
          "(SELECT a FROM one, two t, Three AS x JOIN four ON (a = b) LEFT JOIN app.five USING (id) WHERE c IN (d, e))")
          .relations == Names{"one", "two", "three", "four", "app.five"});
  CHECK(names_of(R"((SELECT a FROM "Odd ""App"."Task List" WHERE b))").relations == Names{R"(Odd "App.Task List)"});
  CHECK(names_of("(SELECT a FROM (SELECT b FROM inner_one) x, LATERAL (SELECT 1 FROM ONLY inner_two) y, last)")
            .relations == Names{"inner_one", "inner_two", "last"});
  CHECK(names_of("(SELECT 1 FROM one UNION SELECT two FROM three ORDER BY four, five)").relations ==
        Names{"one", "three"});
  CHECK(names_of("(SELECT 1 FROM {tasks} t, jsonb_array_elements(t.a) e WHERE :task.id = 1)").relations.empty());
  CHECK(names_of("a = 'SELECT 1 FROM nowhere' AND b = ' from it''s from here'").relations.empty());
}

TEST_CASE("what looks like a table is left to the database to tell") {
  CHECK(names_of("extract(epoch FROM started_at) > 3").relations == Names{"started_at"});
  CHECK(names_of("a IS DISTINCT FROM b").relations == Names{"b"});
}

TEST_CASE("functions stand before a parenthesis") {
  const FragmentNames names = names_of("App.is_dead(a) AND (lower(b) IN ('x', 'y(') OR \"Odd Name\" (c))");
  CHECK(names.functions == Names{"app.is_dead", "lower", "in", "Odd Name", "and"});
}

TEST_CASE("the use of a table is the sum over the profile") {
  const std::map<std::string, TableUse> uses = table_uses(find_profile("workspace-tasks"));
  const TableUse& tasks = uses.at("workspace_tasks");
  CHECK(tasks.whole_rows);
  CHECK(tasks.updated == Names{"completed_at", "error_message", "status", "updated_at"});
  CHECK_FALSE(tasks.inserted);
  CHECK_FALSE(tasks.removed);
  CHECK(uses.at("workspaces").updated == Names{"is_locked", "lock_reason", "locked_at", "locked_by"});
  const TableUse& agents = uses.at("agents");
  CHECK_FALSE(agents.whole_rows);
  CHECK(agents.columns == Names{"agent_id", "last_ping_at"});
  CHECK_FALSE(agents.written());
  const TableUse& logs = uses.at("task_logs");
  CHECK_FALSE(logs.whole_rows);
  CHECK(logs.row_keys);
  CHECK(logs.columns == Names{"content", "id", "task_id"});

  const std::map<std::string, TableUse> jobs = table_uses(find_profile("jobs"));
  CHECK(jobs.at("pending_cancellations").removed);
  CHECK(jobs.at("pending_cancellations").whole_rows);
}

TEST_CASE("a read-only profile writes nothing") {
  Profile profile = find_profile("cluster");
  profile.safety = Safety::read_only;
  for (const auto& [name, use] : table_uses(profile)) {
    INFO(name);
    CHECK_FALSE(use.written());
  }
  CHECK(table_uses(profile).at("results").whole_rows);  // plans are made all the same
}

}  // namespace taskctl
